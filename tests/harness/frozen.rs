//! Formats that are frozen by files: what is said must be what the file holds, to the letter.

use std::{
    env, fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// Set to anything, it writes what is said into the files, for whoever has read the difference and wants it.
const FREEZE_VARIABLE: &str = "INCIDENT_TEST_FREEZE";

/// Compares a text with a file of the repository and shows the difference.
///
/// # Panics
/// They differ.
#[track_caller]
pub fn assert_frozen(file: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    if env::var_os(FREEZE_VARIABLE).is_some() {
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder can be made");
        fs::write(&path, said).expect("a file can be written");
    }
    let frozen = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        frozen == said,
        "{file} and what is said differ. If the difference below is meant, write it with \
         {FREEZE_VARIABLE}=1 and commit it.\n{}",
        difference(&path, said)
    );
}

/// As `diff -u` shows it: `-` stands before what the file holds, `+` before what is said.
fn difference(file: &Path, said: &str) -> String {
    let mut diff = Command::new("diff")
        .args(["-u", "-N", "--label", "frozen", "--label", "said"])
        .args([file, Path::new("-")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("diff is installed");
    let mut input = diff.stdin.take().expect("a pipe");
    let said = said.to_owned();
    let writer = std::thread::spawn(move || input.write_all(said.as_bytes()));
    let output = diff.wait_with_output().expect("diff ends");
    writer.join().expect("no panic").expect("diff reads");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
