//! Which wheel tags an interpreter accepts, in the order of the `packaging` library (PEP 425, 600, 656).

use super::Facts;
use crate::tags::{Tags, WheelTag};

/// The tags of an interpreter, best first.
pub fn compatible_tags(facts: &Facts) -> Tags {
    let platforms = platforms(facts);
    let mut tags = Vec::new();
    match facts.implementation.as_str() {
        "cpython" => cpython(facts, &platforms, &mut tags),
        "pypy" => pypy(facts, &platforms, &mut tags),
        _ => generic(facts, &platforms, &mut tags),
    }
    pure(facts, &platforms, &mut tags);
    Tags::new(tags)
}

fn short(facts: &Facts) -> String {
    format!("{}{}", facts.version.0, facts.version.1)
}

fn cpython(facts: &Facts, platforms: &[String], tags: &mut Vec<WheelTag>) {
    let python = format!("cp{}", short(facts));
    let abis = cpython_abis(facts);
    let mut push = |python: &str, abi: &str| {
        tags.extend(platforms.iter().map(|platform| WheelTag::new(python, abi, platform)));
    };
    for abi in &abis {
        push(&python, abi);
    }
    // The stable ABI (PEP 384) holds for 3.2 and later, and not without the lock.
    let stable = facts.version.0 == 3 && !facts.free_threaded;
    if stable {
        push(&python, "abi3");
    }
    push(&python, "none");
    if stable {
        for minor in (2..facts.version.1).rev() {
            push(&format!("cp3{minor}"), "abi3");
        }
    }
}

/// `cp311`, `cp37m`, `cp313t`, `cp27mu`; a debug build accepts release wheels from 3.8 on.
fn cpython_abis(facts: &Facts) -> Vec<String> {
    let short = short(facts);
    if facts.version.0 == 2 {
        return vec![format!("cp{short}m{}", if facts.unicode_wide { "u" } else { "" })];
    }
    let threading = if facts.free_threaded { "t" } else { "" };
    let malloc = if facts.version.1 < 8 { "m" } else { "" };
    if facts.debug {
        let mut abis = vec![format!("cp{short}{threading}d{malloc}")];
        if facts.version.1 >= 8 {
            abis.push(format!("cp{short}{threading}"));
        }
        return abis;
    }
    vec![format!("cp{short}{threading}{malloc}")]
}

fn pypy(facts: &Facts, platforms: &[String], tags: &mut Vec<WheelTag>) {
    let python = format!("pp{}", short(facts));
    let abi = match facts.pypy_version[..] {
        [major, minor, ..] => format!("pypy{}_pp{major}{minor}", short(facts)),
        _ => "none".to_owned(),
    };
    for abi in [abi.as_str(), "none"] {
        tags.extend(platforms.iter().map(|platform| WheelTag::new(&python, abi, platform)));
    }
}

fn generic(facts: &Facts, platforms: &[String], tags: &mut Vec<WheelTag>) {
    let python = format!("{}{}", facts.implementation, short(facts));
    let abi = facts.soabi.replace(['.', '-'], "_");
    for abi in [abi.as_str(), "none"] {
        tags.extend(platforms.iter().map(|platform| WheelTag::new(&python, abi, platform)));
    }
}

/// `py311-none-<platform>` … `py3-none-any`.
fn pure(facts: &Facts, platforms: &[String], tags: &mut Vec<WheelTag>) {
    let (major, minor, _) = facts.version;
    let mut pythons = vec![format!("py{major}{minor}"), format!("py{major}")];
    pythons.extend((0..minor).rev().map(|minor| format!("py{major}{minor}")));
    for python in &pythons {
        tags.extend(platforms.iter().map(|platform| WheelTag::new(python, "none", platform)));
    }
    let own = match facts.implementation.as_str() {
        "cpython" => Some(format!("cp{major}{minor}")),
        "pypy" => Some("pp3".to_owned()),
        _ => None,
    };
    tags.extend(own.iter().chain(&pythons).map(|python| WheelTag::new(python, "none", "any")));
}

/// Linux platform tags: manylinux or musllinux from the running C library down, then `linux_<arch>`.
fn platforms(facts: &Facts) -> Vec<String> {
    let platform = facts.platform.replace(['.', '-'], "_");
    let Some(architecture) = platform.strip_prefix("linux_") else { return vec![platform] };
    let architecture = match (architecture, facts.pointer_bits) {
        ("x86_64", 32) => "i686",
        ("aarch64", 32) => "armv8l",
        (other, _) => other,
    };
    let mut platforms = Vec::new();
    match &facts.libc {
        Some((kind, 2, minor)) if kind == "glibc" => manylinux(architecture, *minor, &mut platforms),
        Some((kind, 1, minor)) if kind == "musl" => {
            platforms.extend((0..=*minor).rev().map(|minor| format!("musllinux_1_{minor}_{architecture}")));
        }
        _ => {}
    }
    platforms.push(format!("linux_{architecture}"));
    platforms
}

/// PEP 600 tags with the older names (PEP 513, 571, 599) beside the glibc they stand for.
fn manylinux(architecture: &str, minor: u16, platforms: &mut Vec<String>) {
    let old = matches!(architecture, "x86_64" | "i686");
    let oldest = if old { 5 } else { 17 };
    let legacy = matches!(architecture, "x86_64" | "i686" | "aarch64" | "armv7l" | "ppc64" | "ppc64le" | "s390x");
    for minor in (oldest..=minor).rev() {
        platforms.push(format!("manylinux_2_{minor}_{architecture}"));
        let name = match minor {
            17 if legacy => "manylinux2014",
            12 if old => "manylinux2010",
            5 if old => "manylinux1",
            _ => continue,
        };
        platforms.push(format!("{name}_{architecture}"));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{discover, probe};
    use std::process::Command;

    #[test]
    fn every_cpython_here_takes_the_wheels_of_its_c_library() {
        for path in discover::candidates(&discover::PythonRequest::Any).into_iter().chain(discover::all()) {
            let Ok(interpreter) = probe(&path) else { continue };
            let is_glibc = cfg!(target_env = "gnu") && interpreter.facts.platform == "linux-x86_64";
            let takes = interpreter.facts.tags().iter().any(|tag| tag.platform == "manylinux1_x86_64");
            assert_eq!(takes, is_glibc, "{}: {:?}", path.display(), interpreter.facts.libc);
        }
    }

    /// The `packaging` that pip vendors is the reference: same tags, same order.
    #[test]
    fn tags_are_those_of_pips_own_packaging() {
        const PRINT: &str = "import pip, sys\nif int(pip.__version__.split('.')[0]) < 23: sys.exit(1)\nfrom pip._vendor.packaging import tags\nfor t in tags.sys_tags(): print(t)";
        let mut compared = 0;
        for path in discover::candidates(&discover::PythonRequest::Any) {
            let Ok(interpreter) = probe(&path) else { continue };
            let output = Command::new(&path).args(["-I", "-c", PRINT]).output().unwrap();
            // Vendored copies from before 2023 print other orders or fewer tags: not a reference.
            if !output.status.success() {
                continue;
            }
            let theirs: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
            let mut ours: Vec<String> = interpreter.facts.tags().iter().map(ToString::to_string).collect();
            // `cp311-none-any` came to packaging in 2023 (22.0): older copies lack just that one.
            ours.retain(|tag| theirs.contains(tag) || !tag.ends_with("-none-any"));
            let differs = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs);
            let at = |tags: &[String]| differs.map(|place| tags[place].clone());
            assert_eq!(at(&ours), at(&theirs), "{}", path.display());
            assert_eq!(ours.len(), theirs.len(), "{}", path.display());
            compared += 1;
        }
        assert!(compared > 0, "the tests need a Python 3.8 or later with pip");
    }
}
