//! Where a program finds the library of `HiGHS` when it runs.
//!
//! Used by every crate whose programs link it. Where `scripts/highs.sh` fetched a compiled library,
//! Cargo's configuration names its folder, in which no loader looks; a library that was compiled
//! from source is part of the program.

use std::{env, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=HOST_PKG_CONFIG_PATH");
    let library = env::var("HOST_PKG_CONFIG_PATH")
        .ok()
        .and_then(|folder| Path::new(&folder).parent().map(Path::to_path_buf))
        .filter(|library| library.exists());
    if let Some(library) = &library {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", library.display());
        // Where a wheel and an image have it, whatever becomes of the folder it was built in.
        println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/../lib/milp");
    }
    let from = if library.is_some() {
        "fetched compiled"
    } else {
        "compiled from source"
    };
    println!("cargo:rustc-env=MILP_HIGHS_FROM={from}");
}
