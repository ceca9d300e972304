//! Limits and switches of the solver, which many commands take.

use milp_solver::Settings;

/// Limits and switches of the solver.
#[derive(Debug, clap::Args)]
pub(crate) struct Limits {
    /// Seconds for each instance, from building its program to the last proof; with --confirm the
    /// engine's runs and tests too
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "SECONDS",
        default_value_t = 600.0,
        value_parser = positive,
    )]
    time_limit: f64,
    /// Stop at this gap, a fraction; with anything but 0 the result may be unproved
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "FRACTION",
        default_value_t = 0.0,
        value_parser = not_negative,
    )]
    gap: f64,
    /// Threads of the solver; 1 keeps results reproducible
    #[arg(
        long,
        allow_negative_numbers = true,
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=1024),
    )]
    threads: u32,
    /// Seed of the solver's random choices
    #[arg(
        long,
        allow_negative_numbers = true,
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=2_147_483_647),
    )]
    seed: u32,
    /// Take the solver's word, attempt no proof
    #[arg(long)]
    no_prove: bool,
}

impl Limits {
    /// Seconds, for who waits.
    pub(crate) fn seconds(&self) -> f64 {
        self.time_limit
    }

    /// The solver's settings.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            time_limit_seconds: self.time_limit,
            relative_gap: self.gap,
            threads: self.threads,
            seed: self.seed,
            prove: !self.no_prove,
            presolve: true,
            warm_start: None,
            options: Vec::new(),
        }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let value = not_negative(text)?;
    if value > 0.0 {
        Ok(value)
    } else {
        Err("expected a number above 0".to_owned())
    }
}

fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("expected a finite number of at least 0".to_owned()),
    }
}
