//! `omnipkg heal`: what a script needs, told or made ready without running it.
//!
//! `--explain` tells what is remembered of the script, what it will fail of as far as its text says so, by what evidence, and
//! what else was thought of; it fetches nothing. Without it, what is certain is composed and remembered, so that the script's
//! first run is a healed one.

use crate::arguments::{HealOptions, HealPolicy, RunOptions};
use crate::commands::run::Job;
use crate::healing::LazyWorkshop;
use crate::namespace;
use crate::output;
use crate::settings::Settings;
use crate::signals::Signals;
use anyhow::Result;
use omnipkg_healer::{Diagnosis, Plan, Remedy};
use serde_json::{Value, json};

/// Tells, or makes ready, what a script needs.
pub fn heal(settings: &Settings, options: &HealOptions) -> Result<u8> {
    namespace::enter_for_run(settings)?;
    let signals = Signals::block()?;
    let run = RunOptions {
        with: options.with.clone(),
        selection: options.selection.clone(),
        heal: HealPolicy::Known,
        index: options.index.clone(),
        ..RunOptions::for_script(options.script.clone())
    };
    let job = Job::new(settings, &signals, &run)?;
    let remembered = job.remembered();
    let mut workshop = LazyWorkshop::new(settings, &signals, job.python_choice(), || job.open());
    let (start, keeping) = match job.start_at_once(remembered.as_ref()) {
        Some(view) => (view, None),
        None => job.first_view(&mut workshop, remembered.as_ref())?,
    };
    keeping.into_iter().for_each(|keeping| keeping.finish());
    let plan = job.plan(remembered.as_ref())?;
    if options.explain {
        let diagnoses = job.foreseen(&signals, &start)?;
        tell(settings, options, &plan, &diagnoses);
        return Ok(0);
    }
    match job.predict(&signals, (&plan, &start), &mut workshop) {
        Some((plan, view)) => {
            let made_for = workshop.interpreter_of(&view);
            job.write(&view, &plan, made_for)?;
        }
        None if plan.remedies().is_empty() => output::talk("nothing is foreseen that could be healed before it runs"),
        None => output::talk("what it was healed with is remembered, and nothing more is foreseen"),
    }
    Ok(0)
}

fn tell(settings: &Settings, options: &HealOptions, plan: &Plan, diagnoses: &[Diagnosis]) {
    let script = options.script.to_string_lossy();
    let certain = diagnoses.iter().filter(|one| !one.guessed).flat_map(|one| &one.remedies);
    let healed = certain.fold(plan.clone(), |plan, remedy| plan.with(remedy));
    if settings.json {
        let diagnoses: Vec<Value> = diagnoses.iter().map(in_json).collect();
        println!(
            "{}",
            json!({
                "schema": 1,
                "script": script,
                "remembered": words(plan.remedies()),
                "diagnoses": diagnoses,
                "plan": plan_in_json(&healed),
            })
        );
        return;
    }
    if !plan.remedies().is_empty() {
        output::data(format_args!("remembered: {} runs with {}\n", script, words(plan.remedies()).join(", ")));
    }
    if diagnoses.is_empty() {
        output::data(format_args!("nothing more is foreseen: what fails is told when it runs\n"));
    }
    for diagnosis in diagnoses {
        output::data(format_args!("{}\n", diagnosis.evidence));
        if !diagnosis.remedies.is_empty() {
            output::data(format_args!("  remedy: {}\n", words(&diagnosis.remedies).join(", ")));
        }
        for source in &diagnosis.known_from {
            output::data(format_args!("  known from: {source}\n"));
        }
        for other in &diagnosis.considered {
            output::data(format_args!("  considered: {} ({})\n", other.project, other.reason));
        }
        if let Some(hint) = &diagnosis.hint {
            output::data(format_args!("  hint: {hint}\n"));
        }
    }
    if healed.remedies().len() > plan.remedies().len() {
        let mut wanted: Vec<String> = healed.requirements().iter().map(ToString::to_string).collect();
        wanted.extend(healed.python().map(|python| format!("Python {python}")));
        output::data(format_args!("plan: {}\n", wanted.join(", ")));
    }
}

fn words(remedies: &[Remedy]) -> Vec<String> {
    remedies.iter().map(ToString::to_string).collect()
}

fn in_json(diagnosis: &Diagnosis) -> Value {
    let considered: Vec<Value> = diagnosis
        .considered
        .iter()
        .map(|one| json!({ "project": one.project, "reason": one.reason, "installable": one.installable }))
        .collect();
    json!({
        "kind": diagnosis.kind.name(),
        "evidence": diagnosis.evidence,
        "remedies": words(&diagnosis.remedies),
        "guessed": diagnosis.guessed,
        "known_from": diagnosis.known_from,
        "considered": considered,
        "hint": diagnosis.hint,
    })
}

fn plan_in_json(plan: &Plan) -> Value {
    let requirements: Vec<String> = plan.requirements().iter().map(ToString::to_string).collect();
    json!({ "requirements": requirements, "python": plan.python().map(|python| python.to_string()) })
}
