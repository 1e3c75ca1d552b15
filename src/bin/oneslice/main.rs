//! The `oneslice` command line: the only code that knows a terminal, a path or a network.
//!
//! In: arguments and files; out: files, a table or JSON on standard output, progress and one-line
//! errors on standard error. Exit codes: 0 done, 1 failed, 2 wrong arguments.

mod args;
mod dice;
mod fetch;
mod files;
mod info;
mod model;
mod scores;
mod segment;
mod weights;

use std::process::ExitCode;

use args::{Arguments, Command};
use clap::Parser;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.json;
    let done = match arguments.command {
        Command::Segment(segment) => segment::run(&segment, json),
        Command::Dice(dice) => dice::run(&dice, json),
        Command::Weights { command } => weights::run(&command, json),
        Command::Info(info) => info::run(&info, json),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("oneslice: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A message for the person at the terminal; every library error becomes one.
pub type Failure = Box<dyn std::error::Error>;
