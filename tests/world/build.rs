//! The own `getrandom` of a program takes the place of the C library's, which is looked up at run time.

fn main() {
    println!("cargo:rerun-if-changed=world/build.rs");
    for program in ["world", "power_cuts"] {
        println!("cargo:rustc-link-arg-bin={program}=-Wl,--export-dynamic-symbol=getrandom");
    }
}
