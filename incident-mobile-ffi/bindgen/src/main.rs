//! The generator of the bindings, apart from the library so that its weight is not in it.

fn main() {
    uniffi::uniffi_bindgen_main();
}
