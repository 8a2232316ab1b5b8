//! `omnipkg doctor`: whether everything that omnipkg relies on works here, and what would mend it.

use crate::commands::ladder::{self, Ladder};
use crate::commands::open_store;
use crate::context::Context;
use crate::index_settings;
use crate::interpreters;
use crate::settings::Settings;
use crate::workshop::Workshop;
use anyhow::{Result, anyhow};
use omnipkg_store::Store;
use omnipkg_store::environment::Environments;
use omnipkg_store::interpreter::{Interpreter, discover, probe_cached};
use omnipkg_store::view::description::ViewDescription;

/// One thing that was looked at.
struct Finding {
    subject: &'static str,
    good: bool,
    text: String,
    mend: Option<String>,
}

/// Looks, prints a line for each thing, and fails if something essential does not work.
pub fn doctor(settings: &Settings) -> Result<u8> {
    let store = open_store(settings)?;
    let ladder = ladder::look(settings, store.layout());
    let mut findings = vec![store_finding(&store), projection_finding(&ladder)];
    let interpreter = interpreters::find(&store, None, None);
    findings.push(python_finding(&store, &interpreter));
    findings.extend(environments_finding(&store));
    if let Ok(interpreter) = interpreter {
        findings.push(view_finding(settings, &store, interpreter.clone()));
        findings.push(index_finding(settings, &store, &interpreter));
    }
    let healthy = findings.iter().all(|finding| finding.good);
    if settings.json {
        let rows: Vec<_> = findings
            .iter()
            .map(|finding| {
                serde_json::json!({
                    "subject": finding.subject, "good": finding.good, "text": finding.text, "mend": finding.mend,
                })
            })
            .collect();
        println!("{}", serde_json::json!({ "schema": 1, "healthy": healthy, "rung": ladder.rung, "findings": rows }));
    } else {
        for finding in findings {
            println!("{} {}: {}", if finding.good { "ok  " } else { "BAD " }, finding.subject, finding.text);
            finding.mend.iter().for_each(|mend| println!("     → {mend}"));
        }
    }
    Ok(u8::from(!healthy))
}

fn store_finding(store: &Store) -> Finding {
    let root = store.layout().root();
    let tested = tempfile::tempfile_in(store.layout().tmp());
    let free = nix::sys::statvfs::statvfs(root)
        .map(|state| crate::output::bytes(state.blocks_available().saturating_mul(state.fragment_size())))
        .unwrap_or_else(|_| "unknown room".to_owned());
    match tested {
        Ok(_) => {
            Finding { subject: "store", good: true, text: format!("{} ({free} free)", root.display()), mend: None }
        }
        Err(error) => Finding {
            subject: "store",
            good: false,
            text: format!("cannot write to {}: {error}", root.display()),
            mend: Some("make room or mend its owner, or set OMNIPKG_HOME".to_owned()),
        },
    }
}

/// Links are a good answer too: only the reason and the remedy are told.
fn projection_finding(ladder: &Ladder) -> Finding {
    Finding { subject: "projection", good: true, text: ladder.text.clone(), mend: ladder.lift.clone() }
}

fn python_finding(store: &Store, found: &Result<Interpreter>) -> Finding {
    match found {
        Ok(interpreter) => {
            let mut versions: Vec<String> = discover::all()
                .iter()
                .filter_map(|path| Some(probe_cached(store, path).ok()?.facts.full_version()))
                .collect();
            versions.dedup();
            let text = format!(
                "{} at {}; found: {}",
                interpreter.facts.full_version(),
                interpreter.path().display(),
                versions.join(", ")
            );
            Finding { subject: "python", good: true, text, mend: None }
        }
        Err(error) => Finding {
            subject: "python",
            good: false,
            text: error.to_string(),
            mend: Some("install a Python, or name one with --python PATH".to_owned()),
        },
    }
}

/// Environments whose interpreter is gone; nothing to say if there are no environments.
fn environments_finding(store: &Store) -> Option<Finding> {
    let environments = Environments::new(store);
    let names = environments.names().ok().filter(|names| !names.is_empty())?;
    let is_gone = |name: &&String| {
        let view = environments.view(name).ok().flatten();
        let description = view.and_then(|view| ViewDescription::load(store, &view).ok());
        description.is_none_or(|description| !description.interpreter.exists())
    };
    let gone: Vec<&str> = names.iter().filter(is_gone).map(String::as_str).collect();
    Some(Finding {
        subject: "environments",
        good: gone.is_empty(),
        text: match gone.is_empty() {
            true => names.join(", "),
            false => format!("the interpreter of {} is gone", gone.join(", ")),
        },
        mend: (!gone.is_empty()).then(|| "`omnipkg python rescan` binds them to others of their kind".to_owned()),
    })
}

/// Makes the empty view and looks at it, the way `run` would.
fn view_finding(settings: &Settings, store: &Store, interpreter: Interpreter) -> Finding {
    let mut workshop = Workshop::new(settings, store.clone(), Context::isolated(interpreter));
    let result = workshop.compose(&[], &[]).and_then(|composed| {
        let python = composed.path.join("bin/python");
        let status = std::process::Command::new(&python).args(["-c", "import omnipkg"]).status()?;
        status.success().then_some(composed.path).ok_or_else(|| anyhow!("{} does not run: {status}", python.display()))
    });
    match result {
        Ok(path) => Finding { subject: "views", good: true, text: format!("work ({})", path.display()), mend: None },
        Err(error) => Finding {
            subject: "views",
            good: false,
            text: format!("{error:#}"),
            mend: Some("OMNIPKG_PROJECTION=link does without FUSE; `omnipkg server stop` starts it afresh".to_owned()),
        },
    }
}

fn index_finding(settings: &Settings, store: &Store, interpreter: &Interpreter) -> Finding {
    let settings = Settings { refresh: true, ..settings.clone() };
    let asked = index_settings::indexes(&settings, store, interpreter).and_then(|indexes| {
        let host = indexes.index_url.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
        if settings.offline || host.is_empty() {
            return Ok(format!("{host} (not asked: --{})", if host.is_empty() { "no-index" } else { "offline" }));
        }
        let mut workshop = Workshop::new(&settings, store.clone(), Context::isolated(interpreter.clone()));
        let pip = "pip".parse().map_err(|error| anyhow!("{error}"))?;
        workshop.compose(&[pip], &[])?;
        Ok(format!("{host} answers"))
    });
    match asked {
        Ok(text) => Finding { subject: "index", good: true, text, mend: None },
        Err(error) => Finding {
            subject: "index",
            good: false,
            text: format!("{error:#}"),
            mend: Some("check the network, or name an index with --index-url".to_owned()),
        },
    }
}
