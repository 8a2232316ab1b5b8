//! The bounded loop: run → report → diagnosis → remedy → new view → run again, to a fixed point.
//!
//! What must stay true: the new view is composed while the failed process still waits for its verdict, so a script whose
//! healing fails prints its own traceback, byte for byte; a script that fails for its own reasons runs once; the same
//! diagnosis never comes twice; exit codes pass through.

use crate::diagnosis::{Considered, Context, Diagnosis, diagnose};
use crate::knowledge::{Knowledge, Provides, Pythons, of_another_time};
use crate::policy::Heal;
use crate::remedy::{Plan, Remedy};
use crate::report::Report;
use crate::search;
use crate::talk::{self, Talk};
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;
use std::str::FromStr;

/// How often a script is run again at most, unless set otherwise. Scripts of ten years ago have up to six causes, one behind
/// the other: their Python, their modules, and names that went in three libraries.
pub const DEFAULT_ATTEMPTS: usize = 8;

/// Whether the failed script prints its traceback. On the socket: the byte `P` or `Q`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It prints what Python prints.
    Print,
    /// It prints nothing: it will be run again.
    Quiet,
}

impl Verdict {
    /// The byte that the waiting reporter is sent.
    pub fn byte(self) -> u8 {
        match self {
            Self::Print => b'P',
            Self::Quiet => b'Q',
        }
    }
}

/// Supplies views.
pub trait Views {
    /// A view that a script can be run in.
    type View;
    /// Why a view could not be composed.
    type Error: std::error::Error + 'static;

    /// Composes (resolves, fetches, builds) the view of a plan.
    fn compose(&mut self, plan: &Plan) -> Result<Self::View, Self::Error>;

    /// The version of a project (normalised name) in a view, for the talk line.
    fn version(&self, _view: &Self::View, _project: &str) -> Option<String> {
        None
    }

    /// What is known of a project that is only guessed, and whether it has a module (a top-level name), if that is known.
    fn about(&mut self, _project: &PackageName, _module: &str) -> (Option<String>, Option<bool>) {
        (None, None)
    }

    /// The versions of a project that can be had here, oldest first.
    fn versions(&mut self, _project: &PackageName) -> Vec<Version> {
        Vec::new()
    }

    /// Runs a program that only imports in a view; whether it ended well.
    fn probe(&mut self, _view: &Self::View, _program: &str) -> bool {
        false
    }

    /// Whether two views are one: running in it again would be no remedy.
    fn is_same(&self, _one: &Self::View, _other: &Self::View) -> bool {
        false
    }

    /// The version of a view's Python, if it is another than that of the view before.
    fn other_python(&self, _view: &Self::View, _before: &Self::View) -> Option<String> {
        None
    }
}

/// Runs the script.
pub trait Runner<View> {
    /// Why the script could not be run at all.
    type Error: std::error::Error + 'static;

    /// Runs the script in a view to its end and returns its exit code (128+n for a signal). Calls `on_failure` for each
    /// report that arrives, and answers the waiting process with the verdict.
    fn run(&mut self, view: &View, on_failure: &mut dyn FnMut(Report) -> Verdict) -> Result<i32, Self::Error>;
}

/// Speaks with the user.
pub trait Listener {
    /// Says a line on stderr.
    fn say(&mut self, talk: Talk);

    /// Whether there is anybody to be asked; if not, nothing is looked up for an answer.
    fn can_ask(&self) -> bool {
        true
    }

    /// Asks whether a guessed remedy may be taken (`--heal=ask`); the failed script waits.
    fn consent(&mut self, diagnosis: &Diagnosis) -> bool;
}

/// One failure, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// The failure's report.
    pub report: Report,
    /// What was found; `None`: the script's own failure.
    pub diagnosis: Option<Diagnosis>,
    /// The remedies that were taken; empty when the script was not run again.
    pub taken: Vec<Remedy>,
}

/// Why the loop ended.
#[derive(Debug)]
pub enum Ended<E> {
    /// The script ended without a failure to report; its exit code may be any.
    Finished,
    /// The failure is the script's own.
    NotOurs,
    /// The failure is the environment's, and no remedy is certain or allowed.
    NoRemedy,
    /// The same diagnosis came again, or one whose remedy the plan already has: it did not help.
    Repeated,
    /// All attempts are used up.
    Exhausted,
    /// The healed view could not be composed.
    NotComposed(E),
    /// The user did not agree to a guess.
    Declined,
    /// The healed view is there, but the script had read standard input that a second run could not read again.
    InputGone,
}

/// What the loop did.
pub struct Outcome<V: Views> {
    /// The last run's exit code.
    pub exit: i32,
    /// The last plan, with all remedies taken; what is remembered when it [`Outcome::healed`].
    pub plan: Plan,
    /// The last run's view.
    pub view: V::View,
    /// Every failure, in order.
    pub attempts: Vec<Attempt>,
    /// Why it ended.
    pub ended: Ended<V::Error>,
}

impl<V: Views> Outcome<V> {
    /// Whether remedies were taken and the last run had nothing more to report.
    pub fn healed(&self) -> bool {
        !self.plan.remedies().is_empty() && matches!(self.ended, Ended::Finished)
    }

    /// Whether remedies were taken now that the next start should begin with. Only a remedy after which the same
    /// failure came again has not helped; whatever else ended the loop, the script had come further.
    ///
    /// Another Python is another program: that is kept only if it came to a good end there.
    pub fn advanced(&self) -> bool {
        let taken = self.attempts.iter().any(|attempt| !attempt.taken.is_empty());
        let is_good = matches!(self.ended, Ended::Finished) && self.exit == 0;
        taken && !matches!(self.ended, Ended::Repeated) && (is_good || self.plan.python().is_none())
    }
}

/// The script could not be run.
#[derive(Debug, thiserror::Error)]
#[error("run the script")]
pub struct HealError<E: std::error::Error + 'static>(#[source] pub E);

/// The healer's settings.
pub struct Healer<'a> {
    /// The reviewed tables; asked for when a failure arrives, so that a script that passes never loads them.
    pub knowledge: &'a dyn Fn() -> &'a Knowledge,
    /// What the store proves.
    pub provides: &'a dyn Provides,
    /// The interpreters of the machine.
    pub pythons: &'a dyn Pythons,
    /// How far healing may go.
    pub heal: Heal,
    /// How often the script is run again at most.
    pub attempts: usize,
    /// Whether versions are tried where nothing is known.
    pub search: bool,
}

impl Healer<'_> {
    /// What its diagnoses lean on.
    pub fn context(&self) -> Context<'_> {
        Context { knowledge: (self.knowledge)(), provides: self.provides, pythons: self.pythons, heal: self.heal }
    }

    /// Runs a script in `view`, which was composed from `plan`, and heals it.
    pub fn run<V: Views, R: Runner<V::View>>(
        &self,
        mut plan: Plan,
        mut view: V::View,
        views: &mut V,
        runner: &mut R,
        listener: &mut dyn Listener,
    ) -> Result<Outcome<V>, HealError<R::Error>> {
        let mut attempts: Vec<Attempt> = Vec::new();
        loop {
            let mut next: Option<Step<V>> = None;
            let exit = runner
                .run(&view, &mut |report| {
                    // The first report decides; another (a second Python under one command) only gets its traceback.
                    if next.is_some() {
                        return Verdict::Print;
                    }
                    let step = self.step(report, (&plan, &view), &mut attempts, views, listener);
                    let verdict = if matches!(step, Step::Again { .. }) { Verdict::Quiet } else { Verdict::Print };
                    next = Some(step);
                    verdict
                })
                .map_err(HealError)?;
            // It was printed, and went on to a good end: nothing failed.
            let is_held = attempts.last().is_some_and(|attempt| attempt.report.held);
            let went_on = exit == 0 && next.is_some() && !is_held;
            if let Some(attempt) = attempts.last_mut().filter(|_| went_on) {
                attempt.taken.clear();
            }
            match next.filter(|_| !went_on) {
                None => return Ok(Outcome { exit, plan, view, attempts, ended: Ended::Finished }),
                Some(Step::Stop { ended, talk }) => {
                    talk.into_iter().for_each(|talk| listener.say(talk));
                    return Ok(Outcome { exit, plan, view, attempts, ended });
                }
                Some(Step::Later { plan, view, talk }) => {
                    listener.say(talk);
                    return Ok(Outcome { exit, plan, view, attempts, ended: Ended::InputGone });
                }
                Some(Step::Again { plan: healed, view: new, talk }) => {
                    listener.say(talk);
                    (plan, view) = (healed, new);
                }
            }
        }
    }

    /// What to do about one report. The failed script waits meanwhile.
    fn step<V: Views>(
        &self,
        report: Report,
        (plan, view): (&Plan, &V::View),
        attempts: &mut Vec<Attempt>,
        views: &mut V,
        listener: &mut dyn Listener,
    ) -> Step<V> {
        let context = self.context();
        let mut diagnosis = if self.heal == Heal::Off { None } else { diagnose_all(&report, context) };
        if self.search && diagnosis.as_ref().is_none_or(|known| known.remedies.is_empty()) {
            diagnosis = search::search(&report, plan, views).or(diagnosis);
        }
        let is_decided = self.heal == Heal::Any || listener.can_ask();
        if let Some(guess) = diagnosis.as_mut().filter(|found| found.guessed && is_decided) {
            look_up(guess, &report, views);
        }
        let seen = diagnosis.as_ref().is_some_and(|new| {
            attempts.iter().any(|attempt| attempt.diagnosis.as_ref().is_some_and(|old| old.same(new)))
        });
        let step = match &diagnosis {
            None => Step::Stop { ended: Ended::NotOurs, talk: Vec::new() },
            Some(found) if found.remedies.is_empty() => {
                Step::Stop { ended: Ended::NoRemedy, talk: talk::unhealed(found) }
            }
            Some(found) if seen => repeated(found),
            Some(found) if attempts.len() >= self.attempts => {
                let text = format!("{}: not tried, after {} attempts", found.evidence, self.attempts);
                Step::Stop { ended: Ended::Exhausted, talk: vec![Talk::Unhealed(text)] }
            }
            Some(found) if found.guessed && self.heal == Heal::Ask && !listener.consent(found) => {
                Step::Stop { ended: Ended::Declined, talk: talk::unhealed(found) }
            }
            Some(found) => compose(found, (plan, view), report.input_gone, views),
        };
        let taken = match &step {
            Step::Again { plan: healed, .. } | Step::Later { plan: healed, .. } => {
                healed.remedies().get(plan.remedies().len()..).unwrap_or_default().to_vec()
            }
            Step::Stop { .. } => Vec::new(),
        };
        attempts.push(Attempt { report, diagnosis, taken });
        step
    }
}

/// What the program failed of, or, if that is its own affair, what a Python that it started failed of and can be mended.
fn diagnose_all(report: &Report, context: Context<'_>) -> Option<Diagnosis> {
    let own = diagnose(report, context);
    if own.is_some() {
        return own;
    }
    let others = report.others.iter().filter_map(|other| diagnose(other, context));
    others.into_iter().find(|diagnosis| !diagnosis.remedies.is_empty())
}

/// Asks what is known of what a guess would take. A project that does not have the module is none.
fn look_up<V: Views>(guess: &mut Diagnosis, report: &Report, views: &mut V) {
    let Some(project) = guess.remedies.first().and_then(Remedy::project).cloned() else { return };
    let module = report.missing.as_ref().map_or("", |missing| missing.top_level.as_str());
    let (known, has_module) = views.about(&project, module);
    let same = |one: &&mut Considered| one.project.parse::<PackageName>().is_ok_and(|name| name == project);
    if let (Some(known), Some(considered)) = (known, guess.considered.iter_mut().find(same)) {
        considered.reason = format!("{}: {known}", considered.reason);
        considered.installable &= has_module != Some(false);
    }
    if has_module == Some(false) && !module.is_empty() {
        guess.remedies.clear();
        guess.evidence = format!("{}, nor does {project} have it", guess.evidence);
    }
}

fn repeated<V: Views>(diagnosis: &Diagnosis) -> Step<V> {
    let text = format!("{}: the same again, though what would mend it is there", diagnosis.evidence);
    Step::Stop { ended: Ended::Repeated, talk: vec![Talk::Unhealed(text)] }
}

fn compose<V: Views>(
    diagnosis: &Diagnosis,
    (plan, before): (&Plan, &V::View),
    input_gone: bool,
    views: &mut V,
) -> Step<V> {
    let healed = diagnosis.remedies.iter().fold(plan.clone(), |plan, remedy| plan.with(remedy));
    if healed.same_requirements(plan) {
        return repeated(diagnosis);
    }
    let foreseen = diagnosis.foreseen.iter().fold(healed.clone(), |plan, remedy| plan.with(remedy));
    // What is only foreseen must not keep what is needed now from being had.
    let composed = match views.compose(&foreseen) {
        Err(_) if !diagnosis.foreseen.is_empty() => views.compose(&healed).map(|view| (healed, view)),
        composed => composed.map(|view| (foreseen, view)),
    };
    let composed = composed.map(|composed| of_one_time(composed, views));
    match composed {
        Ok((_, view)) if views.is_same(&view, before) => repeated(diagnosis),
        Ok((healed, view)) => {
            let taken = |healed: &Plan| healed.remedies().get(plan.remedies().len()..).unwrap_or_default().to_vec();
            let healed = settled(healed, plan, (&view, before), views);
            let taken = taken(&healed);
            let chosen: Vec<String> = taken.iter().map(|remedy| in_words(remedy, (&view, before), views)).collect();
            if input_gone {
                return Step::Later { plan: healed, view, talk: Talk::Unhealed(talk::later(diagnosis, &chosen)) };
            }
            Step::Again { plan: healed, view, talk: Talk::Healing(talk::healing(diagnosis, &chosen)) }
        }
        // The caller says the error itself, with its causes; here only what it was for.
        Err(error) => Step::Stop {
            talk: vec![Talk::Unhealed(format!("{}: no environment could be made for it", diagnosis.need))],
            ended: Ended::NotComposed(error),
        },
    }
}

/// The plan and its view, with companions of the time of what uses them, where that can be had.
pub(crate) fn of_one_time<V: Views>((plan, view): (Plan, V::View), views: &mut V) -> (Plan, V::View) {
    let companions = of_another_time(&|project| views.version(&view, project));
    if companions.is_empty() {
        return (plan, view);
    }
    let closer = companions.into_iter().fold(plan.clone(), |plan, one| plan.with(&Remedy::Require(one)));
    match views.compose(&closer) {
        Ok(composed) => (closer, composed),
        Err(_) => (plan, view),
    }
}

/// The plan with the Python that its view came to. Sometimes only an older one has what a remedy asks for: it stays with
/// that one, or with an older one still.
pub(crate) fn settled<V: Views>(healed: Plan, plan: &Plan, (view, before): (&V::View, &V::View), views: &V) -> Plan {
    let taken = healed.remedies().get(plan.remedies().len()..).unwrap_or_default();
    let names_python = taken.iter().any(|remedy| matches!(remedy, Remedy::Python(_)));
    let python = views.other_python(view, before).filter(|_| !names_python).and_then(|text| no_newer(&text));
    python.map_or(healed.clone(), |python| healed.with(&Remedy::Python(python)))
}

/// `<3.9` for 3.8.18.
fn no_newer(python: &str) -> Option<VersionSpecifiers> {
    let version = Version::from_str(python).ok()?;
    let [major, minor, ..] = version.release() else { return None };
    VersionSpecifiers::from_str(&format!("<{major}.{}", minor + 1)).ok()
}

pub(crate) fn in_words<V: Views>(remedy: &Remedy, (view, before): (&V::View, &V::View), views: &V) -> String {
    if let Remedy::Python(_) = remedy {
        return views
            .other_python(view, before)
            .map_or_else(|| remedy.to_string(), |version| format!("Python {version}"));
    }
    let chosen = remedy.project().and_then(|project| Some((project, views.version(view, project.as_ref())?)));
    match (remedy, chosen) {
        (Remedy::Replace { .. }, _) | (_, None) => remedy.to_string(),
        (_, Some((project, version))) => format!("{project} {version}"),
    }
}

enum Step<V: Views> {
    Stop {
        ended: Ended<V::Error>,
        talk: Vec<Talk>,
    },
    Again {
        plan: Plan,
        view: V::View,
        talk: Talk,
    },
    /// The next start is healed, this one cannot be.
    Later {
        plan: Plan,
        view: V::View,
        talk: Talk,
    },
}

#[cfg(test)]
#[path = "heal/tests.rs"]
mod tests;
