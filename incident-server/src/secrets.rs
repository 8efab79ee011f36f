//! Secrets in files: read as bytes, made at the first start, readable by the owner only.

use std::{
    fs::{self, DirBuilder},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use incident_core::IdSecret;
use tempfile::NamedTempFile;

/// The name of the generated secret of HS256 tokens in the data directory.
pub(crate) const HS256_SECRET: &str = "hs256.secret";

const MIN_BYTES: usize = IdSecret::MIN_BYTES;

/// Why a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error(
        "cannot read the secret file {}: {source}; name the one that is there, or put it back from where its copy is kept",
        file.display()
    )]
    Read {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The secret is shorter than 32 bytes.
    #[error(
        "the secret in {} has {bytes} bytes, it needs at least {MIN_BYTES}; if it was longer, put it back from where its copy \
         is kept",
        file.display()
    )]
    TooShort {
        /// Which file.
        file: PathBuf,
        /// How many bytes it has, a line end at its end aside.
        bytes: usize,
    },
    /// The file or its directory cannot be made.
    #[error("cannot make {}: {source}; give another --data-dir, or make it writable for this user", path.display())]
    Make {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Makes the data directory for the owner only, if it is missing.
///
/// # Errors
/// It cannot be made.
pub(crate) fn make_directory(path: &Path) -> Result<(), SecretError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| SecretError::Make { path: path.to_owned(), source })
}

/// Reads a secret that somebody named: it must be there. Warns in the log where others can read it.
///
/// # Errors
/// The file is missing, unreadable or too short.
pub fn read(file: &Path) -> Result<Vec<u8>, SecretError> {
    let (secret, is_private) = load(file)?;
    if !is_private {
        tracing::warn!(file = %file.display(), "others than its owner can read this secret file; chmod 600 it");
    }
    Ok(secret)
}

/// Reads a secret, and says whether its owner alone can.
pub(crate) fn load(file: &Path) -> Result<(Vec<u8>, bool), SecretError> {
    let unreadable = |source| SecretError::Read { file: file.to_owned(), source };
    let mut secret = fs::read(file).map_err(unreadable)?;
    let mode = fs::metadata(file).map_err(unreadable)?.permissions().mode();
    if secret.ends_with(b"\n") {
        secret.pop();
        secret.pop_if(|last| *last == b'\r');
    }
    let bytes = secret.len();
    if bytes < MIN_BYTES {
        return Err(SecretError::TooShort { file: file.to_owned(), bytes });
    }
    let for_others = mode & 0o077;
    Ok((secret, for_others == 0))
}

/// Reads a secret of the data directory; makes it first if it is missing.
///
/// Of several processes that start at once all end with the same secret.
///
/// # Errors
/// The file cannot be made or read, or is too short.
pub fn read_or_make(file: &Path) -> Result<Vec<u8>, SecretError> {
    if !file.exists() {
        make(file).map_err(|source| SecretError::Make { path: file.to_owned(), source })?;
    }
    read(file)
}

/// Writes 32 random bytes as hexadecimal text beside the file, then gives them its name: the file is never seen half
/// written, and the first of several wins.
fn make(file: &Path) -> io::Result<()> {
    let mut random = [0; MIN_BYTES];
    getrandom::fill(&mut random)?;
    let text = random.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = NamedTempFile::new_in(folder)?; // its owner's alone
    writeln!(draft, "{text}")?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(file) {
        Err(refused) if refused.error.kind() != io::ErrorKind::AlreadyExists => Err(refused.error),
        _ => fs::File::open(folder)?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_where_the_program_runs_and_is_its_owners_alone() {
        let file = PathBuf::from(format!("{}.secret", std::process::id()));

        let made = read_or_make(&file);
        let loaded = load(&file);

        fs::remove_file(&file).unwrap();
        assert_eq!(loaded.unwrap(), (made.unwrap(), true));
    }
}
