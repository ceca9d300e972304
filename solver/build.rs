//! Where a program finds the library of `HiGHS` when it runs.
//!
//! Used by every crate whose programs link it. The library that `scripts/highs.sh` fetches lies
//! below `target/`, where no loader looks; one that was compiled from source is linked in, and
//! then these paths harm nobody.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let library = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../target/highs/highsbox/highs_dist/lib"
    );
    println!("cargo:rerun-if-changed={library}");
    if std::path::Path::new(library).exists() {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{library}");
    }
}
