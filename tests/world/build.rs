//! The world's own `getrandom` takes the place of the C library's, which is looked up at run time.

fn main() {
    println!("cargo:rerun-if-changed=world/build.rs");
    println!("cargo:rustc-link-arg-bin=world=-Wl,--export-dynamic-symbol=getrandom");
}
