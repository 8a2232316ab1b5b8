//! Before the first run: what a script will fail of in any case, by a report of a failure that has not been.
//!
//! Only what is certain is composed; all else waits for the failure. What must stay true: a prediction that cannot be
//! composed changes nothing, and each one is said as a healed failure is.

use crate::diagnosis::{Context, Diagnosis, Kind, diagnose};
use crate::heal::{Healer, Listener, Views, in_words, of_one_time, settled};
use crate::knowledge::{distribution_for, has_project};
use crate::remedy::{Plan, Remedy, specifiers_in_words};
use crate::report::{Commented, Frame, Report, line, site};
use crate::talk::{self, Talk};
use pep440_rs::Version;
use pep508_rs::{PackageName, Requirement, VersionOrUrl};
use std::str::FromStr;

/// What is there then may lack what the script imports of it, and another Python reads a script anew; but not for ever.
const ROUNDS: usize = 4;

/// What a report of a failure to come says that is certain.
pub fn certain(report: &Report, context: Context<'_>) -> Vec<Diagnosis> {
    let mut found = foresee(report, context);
    found.retain(|diagnosis| !diagnosis.remedies.is_empty() && !diagnosis.guessed);
    found
}

/// All that a report of a failure to come says.
pub fn foresee(report: &Report, context: Context<'_>) -> Vec<Diagnosis> {
    if report.syntax.is_some() {
        return diagnose(report, context).into_iter().collect();
    }
    let mut found: Vec<Diagnosis> = Vec::new();
    let blank = || Report { checks: Vec::new(), also_missing: Vec::new(), uses: Vec::new(), ..report.clone() };
    for missing in &report.also_missing {
        let one = Report { missing: Some(missing.clone()), frames: at(report, missing.line), ..blank() };
        let Some(diagnosis) = diagnose(&one, context) else { continue };
        // All that is only to be added is added in one step.
        let adds =
            |other: &Diagnosis| other.kind == Kind::MissingModule && !other.guessed && !other.remedies.is_empty();
        match found.iter_mut().find(|other| adds(other) && adds(&diagnosis)) {
            Some(first) => {
                let new = diagnosis.remedies.into_iter().filter(|remedy| !first.remedies.contains(remedy));
                let new: Vec<Remedy> = new.collect();
                first.remedies.extend(new);
                first.known_from.extend(diagnosis.known_from);
            }
            None => found.push(diagnosis),
        }
    }
    for used in &report.uses {
        let one = Report { names: vec![used.name.clone()], frames: at(report, used.line), ..blank() };
        found.extend(diagnose(&one, context));
    }
    if !report.checks.is_empty() {
        let checks = Report { checks: report.checks.clone(), ..blank() };
        found.extend(diagnose(&checks, context));
    }
    for comment in report.commented.iter().filter_map(|comment| commented(report, comment)) {
        if !joins(&mut found, &comment) {
            found.push(comment);
        }
    }
    found
}

fn at(report: &Report, line: u32) -> Vec<Frame> {
    report.frames.iter().take(1).map(|frame| Frame { line, ..frame.clone() }).collect()
}

/// A comment that asks for a known project in certain versions, which are not the one that is there.
fn commented(report: &Report, comment: &Commented) -> Option<Diagnosis> {
    let requirement: Requirement = comment.requirement.parse().ok()?;
    let Some(VersionOrUrl::VersionSpecifier(specifiers)) = &requirement.version_or_url else { return None };
    let installed = report.distributions.get(requirement.name.as_ref());
    let is_there = installed
        .and_then(|version| Version::from_str(version).ok())
        .is_some_and(|version| specifiers.contains(&version));
    if is_there || specifiers.is_empty() || !has_project(&requirement.name) || !imports(report, &requirement.name) {
        return None;
    }
    let file = report.frames.first().map_or("", |frame| frame.file.as_str());
    let found = installed.map_or_else(|| "not there".to_owned(), |version| format!("found {}", line(version)));
    let need = format!(
        "{} asks for {} {} ({found})",
        site(file, comment.line),
        requirement.name,
        specifiers_in_words(specifiers)
    );
    let mut diagnosis = Diagnosis::new(Kind::Comment, need);
    diagnosis.remedies = vec![Remedy::Require(requirement)];
    Some(diagnosis)
}

/// Whether the script imports something of a project.
fn imports(report: &Report, project: &PackageName) -> bool {
    report.imports.iter().any(|module| {
        let known = distribution_for(module).map_or(module.as_str(), |(row, _)| row.distribution);
        known.parse::<PackageName>().is_ok_and(|name| name == *project)
    })
}

/// Takes a comment's version of a project into what adds that project anyway; whether there was such.
fn joins(found: &mut [Diagnosis], comment: &Diagnosis) -> bool {
    let Some(Remedy::Require(wanted)) = comment.remedies.first() else { return false };
    let remedies = found.iter_mut().flat_map(|diagnosis| diagnosis.remedies.iter_mut());
    for remedy in remedies {
        if let Remedy::Add(added) = remedy
            && added.name == wanted.name
        {
            *remedy = Remedy::Require(wanted.clone());
            return true;
        }
    }
    false
}

impl Healer<'_> {
    /// The plan and the view to start with, if any is better than the given ones. `read` gives the report of what would
    /// fail in a view.
    pub fn predict<V: Views>(
        &self,
        (plan, view): (&Plan, &V::View),
        read: &mut dyn FnMut(&V::View) -> Option<Report>,
        views: &mut V,
        listener: &mut dyn Listener,
    ) -> Option<(Plan, V::View)> {
        let context = self.context();
        let mut best: Option<(Plan, V::View)> = None;
        for _ in 0..ROUNDS {
            let (plan, view) = best.as_ref().map_or((plan, view), |(plan, view)| (plan, view));
            let Some(report) = read(view) else { break };
            let diagnoses = certain(&report, context);
            let Some(next) = compose(&diagnoses, (plan, view), views, listener) else { break };
            best = Some(next);
        }
        best
    }
}

/// How many remedies are tried one by one at most, where they cannot be had together.
const MOST_ALONE: usize = 24;

/// A diagnosis of modules that are missing, once for each of its remedies.
fn each_alone(diagnosis: &Diagnosis) -> Vec<Diagnosis> {
    if diagnosis.kind != Kind::MissingModule {
        return vec![diagnosis.clone()];
    }
    diagnosis.remedies.iter().map(|remedy| Diagnosis { remedies: vec![remedy.clone()], ..diagnosis.clone() }).collect()
}

/// The view of all that is foreseen; where that cannot be had, of as much as can, in order.
fn compose<V: Views>(
    diagnoses: &[Diagnosis],
    (plan, before): (&Plan, &V::View),
    views: &mut V,
    listener: &mut dyn Listener,
) -> Option<(Plan, V::View)> {
    let with = |plan: &Plan, some: &[&Diagnosis]| {
        some.iter().flat_map(|one| &one.remedies).fold(plan.clone(), |plan, remedy| plan.with(remedy))
    };
    let singles: Vec<Diagnosis> = diagnoses.iter().flat_map(each_alone).collect();
    let mut taken: Vec<&Diagnosis> = diagnoses.iter().collect();
    if with(plan, &taken).same_requirements(plan) {
        return None;
    }
    let mut view = views.compose(&with(plan, &taken)).ok();
    if view.is_none() && singles.len() > 1 {
        taken.clear();
        for diagnosis in singles.iter().take(MOST_ALONE) {
            let more = [taken.clone(), vec![diagnosis]].concat();
            if let Ok(composed) = views.compose(&with(plan, &more)) {
                (taken, view) = (more, Some(composed));
            }
        }
    }
    let view = view.filter(|view| !views.is_same(view, before))?;
    let wanted = with(plan, &taken);
    let count = wanted.remedies().len();
    let (wanted, view) = of_one_time((wanted, view), views);
    let healed = settled(wanted, plan, (&view, before), views);
    let added = healed.remedies().get(count..).unwrap_or_default();
    let mut said: Vec<(&Diagnosis, Vec<String>)> = Vec::new();
    for (number, diagnosis) in taken.iter().enumerate() {
        let more = if number + 1 == taken.len() { added } else { &[] };
        let remedies = diagnosis.remedies.iter().chain(more);
        let chosen: Vec<String> = remedies.map(|remedy| in_words(remedy, (&view, before), views)).collect();
        match said.iter_mut().find(|(other, _)| other.need == diagnosis.need) {
            Some((_, words)) => words.extend(chosen),
            None => said.push((diagnosis, chosen)),
        }
    }
    for (diagnosis, chosen) in said {
        listener.say(Talk::Healing(talk::healing(diagnosis, &chosen)));
    }
    Some((healed, view))
}
