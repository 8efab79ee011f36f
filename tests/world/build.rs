//! The own `getrandom` of a program takes the place of the C library's, which is looked up at run time. The world stands
//! between everybody and four of SQLite's functions, see `sqlite.rs`.

fn main() {
    println!("cargo:rerun-if-changed=world/build.rs");
    for program in ["world", "power_cuts"] {
        println!("cargo:rustc-link-arg-bin={program}=-Wl,--export-dynamic-symbol=getrandom");
    }
    for function in ["open_v2", "close", "prepare_v3", "finalize"] {
        println!("cargo:rustc-link-arg-bin=world=-Wl,--wrap=sqlite3_{function}");
    }
}
