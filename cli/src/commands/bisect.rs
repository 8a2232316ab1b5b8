//! `omnipkg bisect`: the first version of a project, or of Python, with which a script ends otherwise than before.
//!
//! Each version is tried in a view of its own, with nothing healed; what the script prints is not shown, but for -v. The
//! table is data, a line as soon as its run has ended.

use crate::arguments::{BisectOptions, HealPolicy, RunOptions};
use crate::commands::parse_project;
use crate::commands::run::Job;
use crate::healing::{LazyWorkshop, PythonChoice, RunView, pythons_of};
use crate::launch::{self, Wrapper};
use crate::namespace;
use crate::output;
use crate::settings::Settings;
use crate::signals::Signals;
use anyhow::{Context as _, Result, bail};
use omnipkg_healer::bisect::{Change, Known, NoChange, Trial, first_change};
use omnipkg_healer::{Plan, Remedy, remedy};
use omnipkg_store::ViewId;
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;
use serde_json::json;
use std::str::FromStr;
use std::time::Instant;

/// Prints the trials and the first version that ends otherwise; 1 if there is none.
pub fn bisect(settings: &Settings, options: &BisectOptions) -> Result<u8> {
    namespace::enter_for_run(settings)?;
    let signals = Signals::block()?;
    let run = as_run(options);
    let job = Job::new(settings, &signals, &run)?;
    let subject = Subject::of(&options.project)?;
    let mut choice = PythonChoice { only_by_name: true, ..job.python_choice() };
    // Which Python was asked for tells no more than where to begin if Pythons are what is tried.
    choice.asked = choice.asked.filter(|_| !matches!(subject, Subject::Python));
    let mut workshop = LazyWorkshop::new(settings, &signals, choice, || job.open());
    let versions = subject.versions(&mut workshop)?;
    let known = Known { good: place(&versions, options.good.as_ref())?, bad: place(&versions, options.bad.as_ref())? };
    if known.good.is_some() && known.good == known.bad {
        bail!("--good and --bad are one version");
    }
    let mut bisection = Bisection { settings, signals: &signals, job: &job, subject, versions, trials: Vec::new() };
    let plan = job.plan(None)?;
    let count = bisection.versions.len();
    let found = first_change(count, known, &mut |place| bisection.trial(place, &plan, &mut workshop))?;
    bisection.tell(found)
}

/// What a trial runs: the script as `run --heal=off` would.
fn as_run(options: &BisectOptions) -> RunOptions {
    let command = std::iter::once(&options.script).chain(&options.arguments).cloned().collect();
    RunOptions {
        with: options.with.clone(),
        selection: options.selection.clone(),
        heal: HealPolicy::Off,
        index: options.index.clone(),
        command,
        ..RunOptions::for_script(options.script.clone())
    }
}

/// Of what the versions are.
enum Subject {
    Python,
    Project(PackageName),
}

impl Subject {
    fn of(text: &str) -> Result<Self> {
        if text == "python" { Ok(Self::Python) } else { parse_project(text).map(Self::Project) }
    }

    fn name(&self) -> &str {
        match self {
            Self::Python => "Python",
            Self::Project(name) => name.as_ref(),
        }
    }

    /// What may be tried, oldest first.
    fn versions(&self, workshop: &mut LazyWorkshop<'_>) -> Result<Vec<Version>> {
        let versions = match self {
            Self::Python => pythons_of(workshop.workshop()?.store()),
            Self::Project(name) => {
                let workshop = workshop.workshop()?;
                let interpreter = workshop.context().interpreter.clone();
                workshop.versions(name, &interpreter)?
            }
        };
        if versions.len() < 2 {
            bail!(
                "{} has {} versions that can be tried here: there is nothing between them",
                self.name(),
                versions.len()
            );
        }
        Ok(versions)
    }

    /// The plan with one version of it.
    fn fixed(&self, plan: &Plan, version: &Version) -> Result<Plan> {
        Ok(match self {
            Self::Python => {
                let minor: Vec<String> = version.release().iter().take(2).map(u64::to_string).collect();
                plan.with(&Remedy::Python(VersionSpecifiers::from_str(&format!("=={}.*", minor.join(".")))?))
            }
            Self::Project(name) => {
                let exactly = VersionSpecifiers::from_str(&format!("=={version}"))?;
                plan.with(&Remedy::Require(remedy::versioned(name.clone(), exactly)))
            }
        })
    }
}

/// The place of a version that the user named: its own, or that of the first one that begins so (`1.21`).
fn place(versions: &[Version], named: Option<&String>) -> Result<Option<usize>> {
    let Some(text) = named else { return Ok(None) };
    let version = Version::from_str(text).with_context(|| format!("{text:?} is no version"))?;
    let is_short = version.release().len();
    let same = |other: &Version| *other == version || (is_short <= 2 && other.release().starts_with(version.release()));
    match versions.iter().position(same) {
        Some(place) => Ok(Some(place)),
        None => bail!(
            "{text} is none of the versions that can be tried here: {} to {}",
            versions.first().map(ToString::to_string).unwrap_or_default(),
            versions.last().map(ToString::to_string).unwrap_or_default()
        ),
    }
}

struct Bisection<'a> {
    settings: &'a Settings,
    signals: &'a Signals,
    job: &'a Job<'a>,
    subject: Subject,
    versions: Vec<Version>,
    trials: Vec<serde_json::Value>,
}

impl Bisection<'_> {
    fn trial(&mut self, place: usize, plan: &Plan, workshop: &mut LazyWorkshop<'_>) -> Result<Trial> {
        let version = self.versions.get(place).context("a version beyond the last one")?.clone();
        let started = Instant::now();
        let view = match workshop.compose_plan(&self.subject.fixed(plan, &version)?) {
            Ok(composed) => RunView::from(composed),
            Err(error) => {
                self.line(&version, "cannot be tried", None, Some(&format!("{error:#}")));
                return Ok(Trial::Untestable);
            }
        };
        let wrapper = Wrapper { silent: !self.settings.verbose, ..Wrapper::default() };
        let code = launch::run(self.signals, &view.path, &wrapper, &self.job.program, self.job.told(), None)?;
        if code == 130 {
            bail!("interrupted");
        }
        let (ended, word) = if code == 0 { (Trial::Passes, "passes") } else { (Trial::Fails, "fails") };
        self.line(&version, word, Some((code, started, view.id)), None);
        Ok(ended)
    }

    fn line(&mut self, version: &Version, word: &str, ran: Option<(i32, Instant, ViewId)>, why: Option<&str>) {
        let seconds = ran.map(|(_, started, _)| started.elapsed().as_secs_f64());
        if self.settings.json {
            self.trials.push(json!({
                "version": version.to_string(),
                "outcome": word,
                "exit": ran.map(|(code, ..)| code),
                "seconds": seconds,
                "view": ran.map(|(.., view)| view.to_string()),
                "reason": why,
            }));
            return;
        }
        let time = seconds.map_or_else(String::new, |seconds| format!("  {seconds:6.2} s"));
        let code =
            ran.filter(|(code, ..)| *code != 0).map_or_else(String::new, |(code, ..)| format!("  exit code {code}"));
        println!("{:<16} {word}{time}{code}", version.to_string());
    }

    fn tell(self, found: Result<Change, NoChange>) -> Result<u8> {
        let named = |place: usize| self.versions.get(place).map(ToString::to_string).unwrap_or_default();
        let name = self.subject.name();
        let (word, before) = match &found {
            Ok(Change { turns: Trial::Passes, .. }) => ("passes", "fails"),
            _ => ("fails", "passes"),
        };
        if self.settings.json {
            let change = found.as_ref().ok();
            println!(
                "{}",
                json!({
                    "schema": 1,
                    "project": name,
                    "first": change.map(|change| named(change.after)),
                    "turns": change.map(|_| word),
                    "before": change.map(|change| named(change.before)),
                    "runs": self.trials,
                })
            );
            return Ok(u8::from(found.is_err()));
        }
        match found {
            Ok(Change { before: low, after: high, .. }) => {
                println!("{name} {} is the first with which it {word}; with {} it {before}", named(high), named(low));
                if high > low + 1 {
                    output::talk(&format!("{} of the versions between them cannot be tried here", high - low - 1));
                }
                Ok(0)
            }
            Err(NoChange::Alike(ended)) => {
                let word = if ended == Trial::Passes { "passes" } else { "fails" };
                bail!("it {word} with the first and with the last version of {name}: say --good and --bad")
            }
            Err(error) => bail!("{name}: {error}"),
        }
    }
}
