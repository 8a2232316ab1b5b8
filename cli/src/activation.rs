//! What the Python side's loader puts in front of a running Python: the answer to `activate`, and its memory.
//!
//! An activation is a view of only those distributions that differ from the view beneath (overlay), or of the whole
//! closure of what is asked for (strict). It is remembered as `activations/<key>`, a link to that view, and
//! `<key>.json`, the answer itself. What must stay true: `python/omnipkg/_activation.py` computes the same key.

mod distributions;
mod unmanaged;

use crate::arguments::IsolationMode;
use crate::bubbles;
use crate::context::{Base, Context};
use crate::healing::beneath;
use crate::projection;
use crate::settings::Settings;
use crate::workshop::{Wheels, Workshop, is_unsatisfiable};
use anyhow::{Context as _, Result, bail};
use distributions::{Distribution, Distributions};
use omnipkg_store::environment::Environments;
use omnipkg_store::view::builder::{ViewRequest, ViewWheel, build};
use omnipkg_store::view::description::{Overlay, ViewDescription};
use omnipkg_store::view::runtime::Runtime;
use omnipkg_store::wheel::WheelTree;
use omnipkg_store::{Sha256, Store, ViewId, publish, view as views};
use pep508_rs::Requirement;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What is asked.
pub struct Question<'a> {
    /// The requirements as they were written: the key is made of them.
    pub texts: &'a [String],
    /// The same, read.
    pub requirements: &'a [Requirement],
    /// How much stays visible beneath.
    pub isolation: IsolationMode,
    /// The view of the Python that asks.
    pub base: ViewId,
}

/// The answer, as it is printed and remembered.
#[derive(Debug, Serialize)]
pub struct Answer {
    schema: u32,
    key: String,
    isolation: &'static str,
    /// The view to be put in front; the one beneath itself if nothing differs.
    view: ViewId,
    path: PathBuf,
    /// Goes onto `sys.path`.
    pub site_packages: PathBuf,
    base: ViewId,
    /// Projects that the view beneath has in another version, or with other versions of what they need.
    replaced: Vec<Part>,
    /// Projects that it does not have.
    added: Vec<Part>,
    /// What stays of it and needs something that is replaced or added.
    dependents: Vec<Part>,
    /// What is asked for and is just what it has. Of a strict activation: all of that in the closure.
    kept: Vec<Part>,
}

/// A project's part in an activation.
#[derive(Debug, Serialize)]
struct Part {
    project: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// What may be imported, of the version beneath too.
    modules: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<Sha256>,
    /// Stands for the wheel and the wheels of all that it needs.
    identity: Sha256,
    /// True if there are extension modules in it.
    compiled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_compiled: Option<bool>,
}

/// Finds, builds and remembers the answer.
pub fn activate(settings: &Settings, store: &Store, question: &Question<'_>) -> Result<Answer> {
    let description = ViewDescription::load(store, &question.base)?;
    let environment = environment_of(store, &question.base)?;
    let context = Context::of_view(store, &question.base, environment.clone())?;
    let markers = context.interpreter.facts.marker_environment()?;
    let base = Distributions::of_view(store, &description)?;
    let wheels = choose(settings, store, context.clone(), &description, &base, question)?;
    let chosen = Distributions::of_wheels(store, &wheels)?;
    let compared = Compared::new(question, base, chosen, &markers);
    let own = wheels.iter().filter(|(_, tree)| compared.is_in_view(tree.head.name.as_ref()));
    let own: Vec<&(Sha256, WheelTree)> = own.collect();
    let view = if own.is_empty() && question.isolation == IsolationMode::Overlay {
        question.base
    } else {
        let wheels = own.iter().map(|(sha256, tree)| ViewWheel { sha256: *sha256, tree }).collect();
        let interpreter = &context.interpreter;
        build(store, &ViewRequest { interpreter, wheels, seeds: Vec::new(), runtime: Runtime::NONE, overlay: None })?.id
    };
    views::seal(store, &view)?;
    let path = projection::make_visible(settings, store, &view)?;
    let answer = compared.answer(question, view, path, &description.site_packages);
    answer.remember(store)?;
    let place = environment.unwrap_or_else(|| context.interpreter.facts.short_version());
    answer.note_bubbles(store, &place, question.requirements)?;
    Ok(answer)
}

/// The environment of which this is the current view.
fn environment_of(store: &Store, view: &ViewId) -> Result<Option<String>> {
    let environments = Environments::new(store);
    for name in environments.names()? {
        if environments.view(&name)? == Some(*view) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The wheels that answer: with the base's own requirements as they are, with its projects in whatever version fits, or
/// without them; the first of these that has a solution.
fn choose(
    settings: &Settings,
    store: &Store,
    context: Context,
    description: &ViewDescription,
    base: &Distributions,
    question: &Question<'_>,
) -> Result<Wheels> {
    let context = match (question.isolation, &description.overlay) {
        (IsolationMode::Strict, _) => Context { base: Base::Isolated, ..context },
        (IsolationMode::Overlay, Some(overlay)) => over_unmanaged(context, overlay, base),
        (IsolationMode::Overlay, None) => context,
    };
    let own = question.requirements;
    let (strict, relaxed) = beneath(&context.base, own, &[]);
    let mut workshop = Workshop::new(settings, store.clone(), context);
    let mut last_error = None;
    let mut tried: Vec<Vec<Requirement>> = Vec::new();
    for extra in [strict, relaxed, Vec::new()] {
        let all = [own.to_vec(), extra].concat();
        if tried.contains(&all) {
            continue;
        }
        match workshop.choose(&all) {
            Ok(wheels) => return Ok(wheels),
            Err(error) if is_unsatisfiable(&error) => last_error = Some(error),
            Err(error) => return Err(error),
        }
        tried.push(all);
    }
    // The last one has the requirements alone: only then has nothing of the base to do with it.
    Err(last_error.context("nothing was tried")?)
}

/// A view over an environment that omnipkg does not manage: what either has is preferred, and provided by it.
fn over_unmanaged(context: Context, overlay: &Overlay, base: &Distributions) -> Context {
    Context { base: Base::Overlay { overlay: overlay.clone(), installed: base.versions() }, ..context }
}

/// What the activation shows, compared with what lies beneath.
struct Compared {
    base: Distributions,
    base_identities: distributions::Identities,
    /// All that is visible with the activation in place.
    visible: Distributions,
    identities: distributions::Identities,
    /// Names of what the solver chose.
    chosen: Vec<String>,
    strict: bool,
}

impl Compared {
    fn new(
        question: &Question<'_>,
        base: Distributions,
        chosen: Distributions,
        markers: &pep508_rs::MarkerEnvironment,
    ) -> Self {
        let strict = question.isolation == IsolationMode::Strict;
        let names = chosen.names();
        let visible = if strict { chosen } else { base.overlaid_with(chosen) };
        let base_identities = base.identities(question.requirements, markers);
        let identities = visible.identities(question.requirements, markers);
        Self { base, base_identities, visible, identities, chosen: names, strict }
    }

    /// True for what the activation's own view has to hold.
    fn is_in_view(&self, name: &str) -> bool {
        let is_chosen = self.chosen.iter().any(|chosen| chosen == name);
        is_chosen && (self.strict || !self.is_same_wheel(name))
    }

    fn is_same_wheel(&self, name: &str) -> bool {
        match (self.base.get(name), self.visible.get(name)) {
            (Some(beneath), Some(visible)) => beneath.is_same(visible),
            _ => false,
        }
    }

    fn is_same(&self, name: &str) -> bool {
        self.is_same_wheel(name) && self.base_identities.get(name) == self.identities.get(name)
    }

    fn answer(&self, question: &Question<'_>, view: ViewId, path: PathBuf, site_packages: &str) -> Answer {
        let isolation = match question.isolation {
            IsolationMode::Overlay => "overlay",
            IsolationMode::Strict => "strict",
        };
        let mut answer = Answer {
            schema: 1,
            key: key(&question.base, isolation, question.texts),
            isolation,
            view,
            site_packages: path.join(site_packages),
            path,
            base: question.base,
            replaced: Vec::new(),
            added: Vec::new(),
            dependents: Vec::new(),
            kept: Vec::new(),
        };
        let asked_for = |name: &str| question.requirements.iter().any(|requirement| requirement.name.as_ref() == name);
        for (name, distribution) in self.visible.iter() {
            let Some(identity) = self.identities.get(name) else { continue };
            let part = |beneath| part(name, distribution, beneath, *identity);
            match self.base.get(name) {
                None => answer.added.push(part(None)),
                Some(_) if self.is_same(name) && (self.strict || asked_for(name)) => answer.kept.push(part(None)),
                Some(_) if self.is_same(name) => {}
                Some(beneath) if self.is_in_view(name) => answer.replaced.push(part(Some(beneath))),
                Some(_) => answer.dependents.push(part(None)),
            }
        }
        answer
    }
}

fn part(name: &str, distribution: &Distribution, beneath: Option<&Distribution>, identity: Sha256) -> Part {
    let mut modules = distribution.modules.clone();
    modules.extend(beneath.iter().flat_map(|beneath| beneath.modules.iter().cloned()));
    Part {
        project: name.to_owned(),
        version: beneath.is_none().then(|| distribution.version.clone()),
        from: beneath.map(|beneath| beneath.version.clone()),
        to: beneath.map(|_| distribution.version.clone()),
        modules: modules.into_iter().collect(),
        sha256: distribution.wheel,
        identity,
        compiled: distribution.compiled,
        from_compiled: beneath.map(|beneath| beneath.compiled),
    }
}

/// What an activation is remembered by: a digest of text that the Python side has too.
fn key(base: &ViewId, isolation: &str, texts: &[String]) -> String {
    let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    texts.sort_unstable();
    let text = format!("omnipkg activation 1\n{base}\n{isolation}\n{}\n", texts.join("\n"));
    Sha256::of(text.as_bytes()).to_hex()
}

impl Answer {
    /// Writes the answer, then the link that says it is there.
    fn remember(&self, store: &Store) -> Result<()> {
        let link = store.layout().activations().join(&self.key);
        let root = store.layout().root();
        let Ok(place) = self.path.strip_prefix(root) else {
            bail!("the view {} is not in the store {}", self.path.display(), root.display());
        };
        publish::volatile_file(store, &link.with_extension("json"), &serde_json::to_vec(self)?)?;
        Ok(publish::volatile_link(store, &Path::new("..").join(place), &link)?)
    }

    /// What was asked for in another version than the one beneath can be found by name from now on.
    fn note_bubbles(&self, store: &Store, environment: &str, requirements: &[Requirement]) -> Result<()> {
        for part in self.replaced.iter().chain(&self.added) {
            if requirements.iter().any(|requirement| requirement.name.as_ref() == part.project)
                && let Some(version) = part.to.as_ref().or(part.version.as_ref())
            {
                bubbles::note(store, environment, &part.project, version, &self.site_packages)?;
            }
        }
        Ok(())
    }
}
