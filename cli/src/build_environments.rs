//! Where wheels are built: isolated views of what a build needs, composed like any other.
//!
//! What a build needs may have to be built itself; what would need itself is refused.

use crate::context::Context;
use crate::rules::Rules;
use crate::settings::Settings;
use crate::workshop::Workshop;
use anyhow::{Context as _, Result, ensure};
use omnipkg_resolver::{BuildEnvironment, BuildEnvironments, Formats, Names, Requirement};
use omnipkg_store::Store;
use omnipkg_store::interpreter::Interpreter;
use std::str::FromStr;

/// Builds that may wait for each other; deeper than this is a mistake.
const DEPTH: usize = 16;

/// Composes views for builds.
pub struct Builder {
    /// The settings of the command.
    pub settings: Settings,
    /// The store.
    pub store: Store,
    /// The Python that builds.
    pub interpreter: Interpreter,
    /// What the command's own choice obeys.
    pub rules: Rules,
    /// What is being built, the outermost first.
    pub building: Vec<String>,
}

impl Builder {
    fn view(&self, requirements: &[Requirement], source: &str) -> Result<BuildEnvironment> {
        let chain = [self.building.as_slice(), &[source.to_owned()]].concat();
        ensure!(!self.building.iter().any(|other| other == source), "it needs itself: {}", chain.join(" needs "));
        ensure!(chain.len() <= DEPTH, "too many builds wait for each other: {}", chain.join(" needs "));
        let requirements = requirements.iter().map(|requirement| {
            let text = requirement.to_string();
            pep508_rs::Requirement::from_str(&text).with_context(|| format!("cannot use the requirement {text}"))
        });
        let requirements = requirements.collect::<Result<Vec<_>>>()?;
        let context = Context::isolated(self.interpreter.clone());
        let mut workshop = Workshop::new(&self.settings, self.store.clone(), context);
        // Who wants no wheel of a project wants it built, which takes its backend as it comes.
        let formats = Formats { no_binary: Names::default(), ..self.rules.formats.clone() };
        workshop.rules = Rules { formats, ..Rules::default() };
        workshop.building = chain;
        let composed = workshop.compose(&requirements, &[])?;
        Ok(BuildEnvironment { prefix: composed.path, name: composed.id.to_string() })
    }
}

impl BuildEnvironments for Builder {
    fn identity(&self) -> String {
        let facts = &self.interpreter.facts;
        format!(
            "{} {} {} {} {}",
            facts.implementation,
            facts.full_version(),
            facts.soabi,
            facts.platform,
            self.interpreter.path().display()
        )
    }

    fn compose(
        &self,
        requirements: &[Requirement],
        source: &str,
    ) -> Result<BuildEnvironment, Box<dyn std::error::Error + Send + Sync>> {
        self.view(requirements, source).map_err(Into::into)
    }
}
