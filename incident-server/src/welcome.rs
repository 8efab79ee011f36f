//! What the server prints at its start: commands that work when they are pasted into a POSIX shell.

use std::{
    borrow::Cow,
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use incident_core::Timestamp;

use crate::cli::Config;

/// For a server whose tokens come from somewhere else.
pub(crate) fn with_foreign_tokens(address: SocketAddr) -> String {
    format!("tokens come from the configured identity provider; try http://{address}/docs")
}

/// For a server that makes its own tokens: with one for alice, or with the command that makes it.
pub(crate) fn with_own_tokens(
    config: &Config,
    address: SocketAddr,
    token: Option<String>,
    now: Timestamp,
) -> String {
    let token = token.unwrap_or_else(|| format!("$({})", token_command(config, "--sub alice")));
    let sync = format!("http://{address}/api/incidents/sync");
    let payload = format!(
        r#"{{"locationId":"ward-7","gpsCoordinates":{{"type":"Point","coordinates":[12.4924,41.8902]}},"isAnonymous":false,"createdAt":"{now}"}}"#
    );
    format!(
        "try it, with a token for alice that is valid for an hour:

curl -i {} \\
  -H \"Authorization: Bearer {token}\" \\
  -H 'Content-Type: application/json' \\
  -d '{payload}'

the API, to read and to try: http://{address}/docs
the board of responders: http://{address}/, signed in with what this prints:
{}",
        quoted(&sync),
        token_command(config, "--sub responder --scope incidents:read"),
    )
}

/// The command that makes a token which this server takes.
fn token_command(config: &Config, for_whom: &str) -> String {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let flags = [
        ("--data-dir", Some(path(&config.data_dir))),
        ("--auth-hs256-secret-file", config.auth_hs256_secret_file.as_deref().map(path)),
        ("--auth-issuer", config.auth_issuer.clone()),
        ("--auth-audience", config.auth_audience.clone()),
    ];
    let mut command = format!("{} token {for_whom}", quoted(&program()));
    for (flag, value) in flags {
        if let Some(value) = value {
            command = format!("{command} {flag} {}", quoted(&value));
        }
    }
    command
}

/// This program, as it is called from the directory in which it was started.
fn program() -> String {
    let path = env::current_exe().unwrap_or_else(|_| "incident-server".into());
    let called = env::current_dir().map_or_else(|_| path.clone(), |here| called_from(&here, &path));
    called.to_string_lossy().into_owned()
}

/// With a slash in any case: a shell looks for a bare name on the `PATH` alone.
fn called_from(here: &Path, program: &Path) -> PathBuf {
    program.strip_prefix(here).map_or_else(|_| program.to_owned(), |below| Path::new(".").join(below))
}

/// One word of a shell command (POSIX.1-2024, Shell Command Language, section 2.2.2).
fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_without_the_path() {
        for (here, expected) in [
            ("/srv/app", "./incident-server"),
            ("/srv", "./app/incident-server"),
            ("/home/alice", "/srv/app/incident-server"),
        ] {
            let called = called_from(here.as_ref(), "/srv/app/incident-server".as_ref());
            assert_eq!(called.to_str(), Some(expected));
        }
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it_otherwise() {
        for plain in ["./incident-data", "/srv/a_b-1.2", "http://127.0.0.1:8080/api"] {
            assert_eq!(quoted(plain), plain);
        }
        for (word, expected) in [
            ("", "''"),
            ("my data", "'my data'"),
            ("it's $HOME", r"'it'\''s $HOME'"),
            ("~/x", "'~/x'"),
            ("a\nb;c*", "'a\nb;c*'"),
            ("http://[::1]:8080/", "'http://[::1]:8080/'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
