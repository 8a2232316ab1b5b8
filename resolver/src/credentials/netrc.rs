//! `.netrc`: `machine HOST login USER password SECRET`, and `default`.
//!
//! As curl and Python's `netrc` read it: tokens apart by white space, quoted if they hold some, macros passed over.

use super::Login;

/// What a file says.
#[derive(Default)]
pub(super) struct Netrc {
    /// Hosts in order; `None` is the default, for every host.
    entries: Vec<(Option<String>, Login)>,
}

impl Netrc {
    pub(super) fn parse(text: &str) -> Self {
        let mut this = Self::default();
        let mut words = tokens(text).into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "machine" => this.begin(words.next()),
                "default" => this.begin(None),
                "login" => {
                    let user = words.next().unwrap_or_default();
                    this.change(|login| login.user = user);
                }
                "password" => {
                    let password = words.next();
                    this.change(|login| login.password = password);
                }
                "account" => drop(words.next()),
                _ => {}
            }
        }
        this
    }

    fn begin(&mut self, host: Option<String>) {
        self.entries.push((host, Login { user: String::new(), password: None }));
    }

    fn change(&mut self, change: impl FnOnce(&mut Login)) {
        if let Some((_, login)) = self.entries.last_mut() {
            change(login);
        }
    }

    /// The first entry for a host that has something to say.
    pub(super) fn login(&self, host: &str) -> Option<Login> {
        let fits = |(name, _): &&(Option<String>, Login)| name.as_ref().is_none_or(|name| name == host);
        let told = |(_, login): &&(Option<String>, Login)| !login.user.is_empty() || login.password.is_some();
        self.entries.iter().filter(fits).find(told).map(|(_, login)| login.clone())
    }
}

/// Words, without comments and macros.
fn tokens(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            // A password may begin like a comment.
            if first == '#' && words.last().is_none_or(|word: &String| word != "password") {
                break;
            }
            let (word, after) = token(rest);
            rest = after.trim_start();
            if word == "macdef" {
                // A macro ends at an empty line.
                lines.by_ref().take_while(|line| !line.trim().is_empty()).for_each(drop);
                break;
            }
            words.push(word);
        }
    }
    words
}

/// One word and what follows; a backslash takes the next character as it is.
fn token(text: &str) -> (String, &str) {
    let mut word = String::new();
    let quoted = text.starts_with('"');
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => word.extend(characters.next().map(|(_, escaped)| escaped)),
            '"' if quoted => return (word, text.get(at + 1..).unwrap_or_default()),
            _ if !quoted && character.is_whitespace() => return (word, text.get(at..).unwrap_or_default()),
            _ => word.push(character),
        }
    }
    (word, "")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(text: &str, host: &str) -> Option<(String, Option<String>)> {
        Netrc::parse(text).login(host).map(|login| (login.user, login.password))
    }

    #[test]
    fn hosts_have_their_logins() {
        let text = "# a comment\nmachine 127.0.0.1\n  login me\n  password \"p w\\\"x\"\n\
                    macdef init\nmachine 127.0.0.9 login no\n\nmachine 127.0.0.2 login you account a password #1\n\
                    default login any password all\n";
        assert_eq!(found(text, "127.0.0.1").unwrap(), ("me".to_owned(), Some("p w\"x".to_owned())));
        assert_eq!(found(text, "127.0.0.2").unwrap(), ("you".to_owned(), Some("#1".to_owned())));
        assert_eq!(found(text, "127.0.0.9").unwrap().0, "any");
    }

    #[test]
    fn damage_gives_nothing_away() {
        assert_eq!(found("", "127.0.0.1"), None);
        assert_eq!(found("machine", "127.0.0.1"), None);
        assert_eq!(found("login me password x", "127.0.0.1"), None);
        assert_eq!(found("machine 127.0.0.1\nmachine 127.0.0.1 login b", "127.0.0.1").unwrap().0, "b");
        assert_eq!(found("machine 127.0.0.1 login \"open", "127.0.0.1").unwrap().0, "open");
    }
}
