//! What `doctor` tells of the ladder: direct mount, fusermount3, user namespace, links; which rung is used here, why, and
//! the command that lifts it.

use crate::namespace;
use crate::projection;
use crate::settings::{ProjectionChoice, Settings};
use omnipkg_fusefs::{Rung, Unavailable};
use omnipkg_store::Layout;
use std::fs;
use std::path::PathBuf;

/// The rung that is used, for people and for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// `direct`, `fusermount`, `namespace` or `links`.
    pub rung: &'static str,
    /// In words, with the reason.
    pub text: String,
    /// What gives a better rung.
    pub lift: Option<String>,
}

/// Looks; a namespace is tried anew, whatever is remembered.
pub fn look(settings: &Settings, layout: &Layout) -> Ladder {
    match settings.projection {
        ProjectionChoice::Link => return links("links (OMNIPKG_PROJECTION=link)".to_owned(), None),
        ProjectionChoice::Rung(rung) => {
            let found = of_rung(rung);
            return Ladder { text: format!("{} (OMNIPKG_PROJECTION={})", found.text, rung.name()), ..found };
        }
        ProjectionChoice::Fuse | ProjectionChoice::Probe => {}
    }
    let unavailable = match omnipkg_fusefs::probe() {
        Ok(_) if namespace::rung(layout) == Ok(Rung::Namespace) => {
            let lift = "a mount that everybody sees is possible by now: omnipkg server stop".to_owned();
            return Ladder { lift: Some(lift), ..of_rung(Rung::Namespace) };
        }
        Ok(rung) => {
            return match projection::fallen_to_links(layout) {
                Some(reason) => {
                    links(format!("links ({reason})"), Some("the next new view tries FUSE again".to_owned()))
                }
                None => of_rung(rung),
            };
        }
        Err(unavailable) => unavailable,
    };
    let reason = unavailable.to_string();
    if unavailable == Unavailable::Mounter {
        return match namespace::try_anew(layout) {
            None => {
                let text = format!("{} ({reason})", of_rung(Rung::Namespace).text);
                Ladder { text, lift: Some(install_fuse()), ..of_rung(Rung::Namespace) }
            }
            Some(why) => {
                let lift = format!("{}, or allow user namespaces: {}", install_fuse(), allow_namespaces());
                links(format!("links, since there is no FUSE here ({reason}; {why})"), Some(lift))
            }
        };
    }
    let lift = if reason.contains("permission") {
        "let users open it: sudo chmod 0666 /dev/fuse (to last: echo 'KERNEL==\"fuse\", MODE=\"0666\"' | \
         sudo tee /etc/udev/rules.d/99-fuse.rules)"
    } else {
        "load the kernel module: sudo modprobe fuse (a container needs --device /dev/fuse)"
    };
    links(format!("links, since there is no FUSE here ({reason})"), Some(lift.to_owned()))
}

fn links(text: String, lift: Option<String>) -> Ladder {
    Ladder { rung: "links", text, lift }
}

fn of_rung(rung: Rung) -> Ladder {
    let text = match rung {
        Rung::Direct => "FUSE, mounted directly",
        Rung::Fusermount => "FUSE, mounted by fusermount3",
        Rung::Namespace => "FUSE in a user namespace, which `run` enters; links for all that is seen from outside",
    };
    Ladder { rung: rung.name(), text: text.to_owned(), lift: None }
}

/// The command of the distribution's package manager.
fn install_fuse() -> String {
    let managers = [
        ("apt-get", "apt-get install fuse3"),
        ("dnf", "dnf install fuse3"),
        ("yum", "yum install fuse3"),
        ("zypper", "zypper install fuse3"),
        ("pacman", "pacman -S fuse3"),
        ("apk", "apk add fuse3"),
    ];
    match managers.iter().find(|(program, _)| is_on_path(program)) {
        Some((_, command)) => format!("install fusermount3: sudo {command}"),
        None => "install the package fuse3".to_owned(),
    }
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/bin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).any(|directory| directory.join(program).is_file())
}

/// The command for what forbids them here.
fn allow_namespaces() -> String {
    let switches = [
        ("user.max_user_namespaces", "0", "15000"),
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ];
    let forbids = |name: &str, value: &str| {
        let path = PathBuf::from("/proc/sys").join(name.replace('.', "/"));
        fs::read_to_string(path).is_ok_and(|text| text.trim() == value)
    };
    match switches.iter().find(|(name, closed, _)| forbids(name, closed)) {
        Some((name, _, open)) => format!("sudo sysctl -w {name}={open}"),
        None => {
            "the sandbox or container around this shell forbids them (seccomp); start it with them allowed".to_owned()
        }
    }
}
