//! A module, or a distribution asked for by name, that is not there.
//!
//! Certain are: the store's own distributions when exactly one provides the name, and the reviewed table. Everything
//! else is a guess; a guess is said, and made only under `--heal=ask|any`.

use pep508_rs::{PackageName, Requirement};

use super::{Considered, Context, Diagnosis, Kind};
use crate::knowledge::{distribution_for, has_project, similar};
use crate::policy::{Heal, never_a_guess};
use crate::remedy::{Remedy, bare, versioned};
use crate::report::{MissingModule, Report, line};

pub(super) fn diagnose(report: &Report, context: Context<'_>) -> Option<Diagnosis> {
    if let Some(missing) = report.missing.as_ref().filter(|missing| is_module_name(&missing.module)) {
        return Some(module(report, missing, context));
    }
    let missing = report.missing_distribution.as_ref()?;
    let requirement: Requirement = missing.requirement.trim().parse().ok()?;
    Some(distribution(report, requirement, context))
}

fn is_module_name(module: &str) -> bool {
    let identifier = |part: &str| {
        part.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    module.len() <= 256 && module.split('.').all(identifier)
}

fn module(report: &Report, missing: &MissingModule, context: Context<'_>) -> Diagnosis {
    let name = line(&missing.module);
    let top_level = missing.module.split('.').next().unwrap_or_default();
    let evidence = format!("{} imports {name}, which nothing in this environment provides", report.site());
    let mut diagnosis = Diagnosis::new(Kind::MissingModule, evidence);
    diagnosis.need = format!("{} needs the module {name}", report.site());
    if missing.local {
        diagnosis.evidence = format!("{} imports {name}, and {top_level} is a file or folder beside it", report.site());
        return diagnosis;
    }
    if missing.stdlib && in_table(missing).is_none() {
        diagnosis.evidence = format!(
            "{} imports {name} of the standard library, which Python {} does not have",
            report.site(),
            line(&report.python)
        );
        return diagnosis;
    }
    if let Some(requirement) = certain(report, missing, context) {
        diagnosis.known_from = known_from(missing, &requirement.name);
        diagnosis.foreseen = foreseen(report, &requirement.name, context);
        diagnosis.remedies = vec![Remedy::Add(requirement)];
        return diagnosis;
    }
    if missing.top_level_present {
        diagnosis.evidence = format!("{} imports {name}: {top_level} is there and has no such module", report.site());
        return diagnosis;
    }
    guess(&mut diagnosis, top_level, context);
    diagnosis
}

/// Remedies for the script's other imports that would fail next, where they are certain.
fn foreseen(report: &Report, taken: &PackageName, context: Context<'_>) -> Vec<Remedy> {
    let mut remedies: Vec<Remedy> = Vec::new();
    for missing in &report.also_missing {
        if missing.local || !is_module_name(&missing.module) {
            continue;
        }
        if let Some(requirement) = certain(report, missing, context)
            && requirement.name != *taken
            && remedies.iter().all(|remedy| remedy.project() != Some(&requirement.name))
        {
            remedies.push(Remedy::Add(requirement));
        }
    }
    remedies
}

/// The one project that certainly provides the module, if it is known and not there already.
fn certain(report: &Report, missing: &MissingModule, context: Context<'_>) -> Option<Requirement> {
    // The table first: it also knows in which versions a project still provides the module.
    // Of the standard library's names, and of those that people give to their own modules, a stranger's file in some wheel
    // proves nothing.
    let is_anybodys = missing.stdlib || never_a_guess(&missing.top_level).is_some();
    let in_store = || if is_anybodys { None } else { in_store(missing, context).map(bare) };
    let requirement = in_table(missing).or_else(in_store)?;
    (!report.distributions.contains_key(requirement.name.as_ref())).then_some(requirement)
}

fn known_from(missing: &MissingModule, project: &PackageName) -> Vec<String> {
    let rows = missing.asked.iter().chain([&missing.module]).filter_map(|name| distribution_for(name));
    let row =
        rows.map(|(row, _)| row).find(|row| row.distribution.parse::<PackageName>().is_ok_and(|one| one == *project));
    vec![row.map_or_else(|| "the store: a wheel of it has the module".to_owned(), |row| row.source.to_owned())]
}

fn in_table(missing: &MissingModule) -> Option<Requirement> {
    // Of a namespace package it is the part that was asked for that tells the project.
    let asked = missing.asked.iter().filter(|asked| is_module_name(asked));
    let rows = asked.chain([&missing.module]).filter_map(|name| distribution_for(name));
    let (row, parts) = rows.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    // A package that is there lacks the module itself; only a part of a namespace can come from elsewhere.
    if missing.top_level_present && parts == 1 {
        return None;
    }
    let project = row.distribution.parse().ok()?;
    Some(match row.versions() {
        Some(specifiers) => versioned(project, specifiers),
        None => bare(project),
    })
}

fn in_store(missing: &MissingModule, context: Context<'_>) -> Option<PackageName> {
    let shortest = if missing.top_level_present { 2 } else { 1 };
    for name in missing.asked.iter().filter(|asked| is_module_name(asked)).chain([&missing.module]) {
        let parts: Vec<&str> = name.split('.').take(16).collect();
        for length in (shortest..=parts.len()).rev() {
            match context.provides.distributions_for(&parts[..length].join(".")).as_slice() {
                [] => {}
                [one] => return one.parse().ok(),
                _ => return None,
            }
        }
    }
    None
}

fn guess(diagnosis: &mut Diagnosis, top_level: &str, context: Context<'_>) {
    let mut consider = |project: &str, reason: String, installable| {
        diagnosis.considered.push(Considered { project: project.to_owned(), reason, installable });
    };
    let several = context.provides.distributions_for(top_level);
    for project in &several {
        consider(project, "one of several in the store that provide it".to_owned(), true);
    }
    let similar = similar(top_level);
    for row in &similar {
        consider(row.distribution, format!("provides {}, a name like {top_level}", row.module), false);
    }
    let trap = never_a_guess(top_level).or((!similar.is_empty()).then_some("perhaps a misspelling"));
    let same_name: Option<PackageName> = top_level.parse().ok();
    match trap {
        Some(why) => consider(top_level, format!("the project of the same name, but it is {why}"), false),
        None => consider(top_level, "the project of the same name, which is a guess".to_owned(), several.is_empty()),
    }
    diagnosis.guessable = true;
    let taken = match context.heal {
        Heal::Any => true,
        Heal::Ask => trap.is_none() && several.is_empty(),
        Heal::Known | Heal::Off => false,
    };
    if let Some(project) = same_name.filter(|_| taken) {
        diagnosis.remedies = vec![Remedy::Add(bare(project))];
        diagnosis.guessed = true;
    }
}

fn distribution(report: &Report, requirement: Requirement, context: Context<'_>) -> Diagnosis {
    let evidence = format!("{} asks for the distribution {requirement}, which is not there", report.site());
    let mut diagnosis = Diagnosis::new(Kind::MissingDistribution, evidence);
    diagnosis.need = format!("{} needs the distribution {}", report.site(), requirement.name);
    let known = has_project(&requirement.name);
    if !known {
        diagnosis.considered.push(Considered {
            project: requirement.name.to_string(),
            reason: "asked for by the script, not a reviewed name".to_owned(),
            installable: true,
        });
        diagnosis.guessable = true;
    }
    let allowed = known || matches!(context.heal, Heal::Ask | Heal::Any);
    if allowed && !matches!(requirement.version_or_url, Some(pep508_rs::VersionOrUrl::Url(_))) {
        diagnosis.guessed = !known;
        diagnosis.remedies = vec![Remedy::Add(requirement)];
    }
    diagnosis
}

#[cfg(test)]
#[path = "missing_module/tests.rs"]
mod tests;
