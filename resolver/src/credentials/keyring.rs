//! The `keyring` command, as pip and uv ask it: `keyring get SERVICE USER`.
//!
//! Its answer is a secret: it goes into a request and nowhere else.

use super::Login;
use std::process::{Command, Stdio};

/// The login for the first service that the keyring knows; without a user it is asked for both.
pub(super) fn ask(services: &[String], user: Option<&str>) -> Option<Login> {
    services.iter().find_map(|service| match user {
        Some(user) => {
            let said = run(&["get", service, user])?;
            Some(Login { user: user.to_owned(), password: Some(said) })
        }
        None => {
            let said = run(&["--mode", "creds", "get", service])?;
            let (user, password) = said.split_once('\n')?;
            Some(Login { user: user.trim_end().to_owned(), password: Some(password.to_owned()) })
        }
    })
}

/// What the command prints, without the end of the last line; its talk goes where ours does.
fn run(arguments: &[&str]) -> Option<String> {
    let output = Command::new("keyring").args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.inspect_err(|error| tracing::debug!(%error, "keyring does not start")).ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
