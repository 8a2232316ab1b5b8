//! Remedies and the plan that they change: the requirements a view is composed from.
//!
//! A plan only grows: each remedy is added to what earlier ones asked for, so that healing a second failure cannot undo
//! the first. Requirements that came from remedies are never weakened, the user's own may be replaced.

use std::fmt;

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::{PackageName, Requirement, VersionOrUrl};

/// One change to a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Take this requirement in place of what the plan says about the project.
    Require(Requirement),
    /// Add a project that the plan does not have.
    Add(Requirement),
    /// Take another project in place of one that does not work here.
    Replace {
        /// The project that must not be in the view.
        from: PackageName,
        /// The project that takes its place, at the same version.
        to: PackageName,
    },
    /// Take a Python of these versions.
    Python(VersionSpecifiers),
}

impl Remedy {
    /// The project that the remedy brings or changes; none for another Python.
    pub fn project(&self) -> Option<&PackageName> {
        match self {
            Self::Require(requirement) | Self::Add(requirement) => Some(&requirement.name),
            Self::Replace { to, .. } => Some(to),
            Self::Python(_) => None,
        }
    }
}

impl fmt::Display for Remedy {
    /// "rich 13.4.2", "rich >=13.4, <14" or "PyYAML": what the healed run runs with.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Require(requirement) | Self::Add(requirement) => {
                write!(f, "{}", requirement.name)?;
                if let Some(VersionOrUrl::VersionSpecifier(specifiers)) = &requirement.version_or_url
                    && !specifiers.is_empty()
                {
                    write!(f, " {}", specifiers_in_words(specifiers))?;
                }
                Ok(())
            }
            Self::Replace { from, to } => write!(f, "{to} in place of {from}"),
            Self::Python(specifiers) => write!(f, "Python {}", specifiers_in_words(specifiers)),
        }
    }
}

/// "13.4.2" for an exact version, else the specifiers as they are written.
pub fn specifiers_in_words(specifiers: &VersionSpecifiers) -> String {
    let text = specifiers.to_string();
    match &specifiers[..] {
        [one] => match text.strip_prefix("==") {
            Some(version) if !version.ends_with(".*") => one.version().to_string(),
            _ => text,
        },
        _ => text,
    }
}

/// The requirements of a view, and how they came to be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    requirements: Vec<Requirement>,
    remedies: Vec<Remedy>,
}

impl Plan {
    /// A plan of the user's own requirements.
    pub fn new(requirements: Vec<Requirement>) -> Self {
        Self { requirements, remedies: Vec::new() }
    }

    /// What the view must satisfy, remedies included.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// The remedies taken so far, in order.
    pub fn remedies(&self) -> &[Remedy] {
        &self.remedies
    }

    /// Whether both ask for the same, in whatever order.
    pub fn same_requirements(&self, other: &Self) -> bool {
        let sorted = |plan: &Self| {
            let mut all: Vec<String> = plan.requirements.iter().map(ToString::to_string).collect();
            all.sort_unstable();
            all
        };
        sorted(self) == sorted(other) && self.replaced().eq(other.replaced()) && self.python() == other.python()
    }

    /// Projects that must not be in the view, even where another project requires them.
    pub fn replaced(&self) -> impl Iterator<Item = &PackageName> {
        self.remedies.iter().filter_map(|remedy| match remedy {
            Remedy::Replace { from, .. } => Some(from),
            Remedy::Require(_) | Remedy::Add(_) | Remedy::Python(_) => None,
        })
    }

    /// The Pythons that the remedies leave, if they say anything of it.
    pub fn python(&self) -> Option<VersionSpecifiers> {
        let asked = self.remedies.iter().filter_map(|remedy| match remedy {
            Remedy::Python(specifiers) => Some(specifiers.iter().cloned()),
            _ => None,
        });
        let all: Vec<VersionSpecifier> = asked.flatten().collect();
        (!all.is_empty()).then(|| all.into_iter().collect())
    }

    /// The plan with one more remedy.
    #[must_use]
    pub fn with(&self, remedy: &Remedy) -> Self {
        let mut plan = self.clone();
        match remedy {
            Remedy::Require(requirement) | Remedy::Add(requirement) => plan.require(requirement.clone()),
            Remedy::Replace { from, to } => plan.replace(from, to),
            Remedy::Python(_) => {}
        }
        plan.remedies.push(remedy.clone());
        plan
    }

    fn require(&mut self, mut requirement: Requirement) {
        // What earlier remedies asked of this project still has to hold.
        for earlier in &self.remedies {
            if let Remedy::Require(earlier) | Remedy::Add(earlier) = earlier
                && earlier.name == requirement.name
            {
                requirement.version_or_url = both(&earlier.version_or_url, &requirement.version_or_url);
            }
        }
        // Its extras too, wherever they were asked for. A requirement for other interpreters (marker) is kept as well,
        // but it cannot speak against the remedy: the remedy's own line has no marker.
        for replaced in self.requirements.iter().filter(|existing| existing.name == requirement.name) {
            // A remedy that says nothing of the version (an extra) leaves it as it was asked for.
            requirement.version_or_url = requirement.version_or_url.or_else(|| replaced.version_or_url.clone());
            for extra in &replaced.extras {
                if !requirement.extras.contains(extra) {
                    requirement.extras.push(extra.clone());
                }
            }
        }
        self.requirements.retain(|existing| existing.name != requirement.name);
        self.requirements.push(requirement);
    }

    fn replace(&mut self, from: &PackageName, to: &PackageName) {
        let found = self.requirements.iter().position(|existing| existing.name == *from);
        match found {
            Some(position) => {
                self.requirements[position].name = to.clone();
                if let Some(VersionOrUrl::Url(_)) = self.requirements[position].version_or_url {
                    self.requirements[position].version_or_url = None;
                }
            }
            None => self.requirements.push(bare(to.clone())),
        }
    }
}

/// Whether some Python 3 is among these versions of Python. Of most that end somewhere Python 2 is none that is meant.
pub fn has_a_python_3(specifiers: &VersionSpecifiers) -> bool {
    (0..100).any(|minor| specifiers.contains(&Version::new([3, minor])))
}

/// A requirement of a project, any version.
pub fn bare(name: PackageName) -> Requirement {
    Requirement {
        name,
        extras: Vec::new(),
        version_or_url: None,
        marker: pep508_rs::MarkerTree::default(),
        origin: None,
    }
}

/// A requirement of a project with these specifiers.
pub fn versioned(name: PackageName, specifiers: VersionSpecifiers) -> Requirement {
    Requirement { version_or_url: Some(VersionOrUrl::VersionSpecifier(specifiers)), ..bare(name) }
}

fn both(earlier: &Option<VersionOrUrl>, later: &Option<VersionOrUrl>) -> Option<VersionOrUrl> {
    match (earlier, later) {
        (Some(VersionOrUrl::VersionSpecifier(first)), Some(VersionOrUrl::VersionSpecifier(second))) => {
            let mut all: Vec<VersionSpecifier> = first.iter().cloned().collect();
            all.extend(second.iter().filter(|specifier| !first.contains_specifier(specifier)).cloned());
            Some(VersionOrUrl::VersionSpecifier(all.into_iter().collect()))
        }
        (earlier, None) => earlier.clone(),
        (_, later) => later.clone(),
    }
}

trait ContainsSpecifier {
    fn contains_specifier(&self, specifier: &VersionSpecifier) -> bool;
}

impl ContainsSpecifier for VersionSpecifiers {
    fn contains_specifier(&self, specifier: &VersionSpecifier) -> bool {
        self.iter().any(|own| own == specifier)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn requirement(text: &str) -> Requirement {
        text.parse().unwrap()
    }

    fn after(base: &[&str], remedies: &[Remedy]) -> Vec<String> {
        let base = Plan::new(base.iter().map(|text| requirement(text)).collect());
        let plan = remedies.iter().fold(base, |plan, remedy| plan.with(remedy));
        assert_eq!(plan.remedies(), remedies);
        plan.requirements().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn require_replaces_and_keeps_extras() {
        let remedy = Remedy::Require(requirement("rich==13.4.2"));
        assert_eq!(after(&["rich[jupyter]==13.7.1", "attrs"], &[remedy]), ["attrs", "rich[jupyter]==13.4.2"]);
    }

    #[test]
    fn an_extra_keeps_the_version() {
        let remedy = Remedy::Require(requirement("httpx[http2]"));
        assert_eq!(after(&["httpx==0.24.1"], &[remedy]), ["httpx[http2]==0.24.1"]);
    }

    #[test]
    fn later_remedies_add_to_earlier_ones() {
        let remedies = [Remedy::Require(requirement("rich>=13")), Remedy::Require(requirement("rich<14"))];
        assert_eq!(after(&["rich==12"], &remedies), ["rich>=13,<14"]);
    }

    #[test]
    fn replace_keeps_the_version() {
        let remedy =
            Remedy::Replace { from: "opencv-python".parse().unwrap(), to: "opencv-python-headless".parse().unwrap() };
        assert_eq!(
            after(&["opencv-python==4.8.0.76"], std::slice::from_ref(&remedy)),
            ["opencv-python-headless==4.8.0.76"]
        );
        assert_eq!(after(&["other"], std::slice::from_ref(&remedy)), ["other", "opencv-python-headless"]);
        assert_eq!(
            Plan::default().with(&remedy).replaced().map(ToString::to_string).collect::<Vec<_>>(),
            ["opencv-python"]
        );
    }

    #[test]
    fn in_words() {
        assert_eq!(Remedy::Require(requirement("rich==13.4.2")).to_string(), "rich 13.4.2");
        assert_eq!(Remedy::Require(requirement("rich==13.*")).to_string(), "rich ==13.*");
        assert_eq!(Remedy::Require(requirement("rich>=13,<14")).to_string(), "rich >=13, <14");
        assert_eq!(Remedy::Add(requirement("PyYAML")).to_string(), "pyyaml");
    }
}
