//! The `oneslice` command line: the only code that knows a terminal, a path or a network.
//!
//! In: arguments and files; out: files, a table or JSON on standard output, progress and one-line
//! errors on standard error. Exit codes: 0 done, 1 failed, 2 wrong arguments.

mod args;
mod dice;
mod eval;
mod export;
mod failed;
mod fetch;
mod few_shot;
mod files;
mod info;
mod lpips;
mod measure;
mod memory;
mod model;
mod named;
mod one_prompt;
mod pictures;
mod progress;
mod quantize;
mod sample;
mod scans;
mod scores;
mod segment;
mod values;
mod weights;

use std::io::Write;
use std::process::ExitCode;

use args::{Arguments, Command};
use clap::Parser;
use clap::error::ErrorKind;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let json = arguments.json;
    let done = match arguments.command {
        Command::Segment(segment) => segment::run(&segment, json),
        Command::OnePrompt(one_prompt) => one_prompt::run(&one_prompt, json),
        Command::FewShot(few_shot) => few_shot::run(&few_shot, json),
        Command::Lpips(lpips) => lpips::run(&lpips, json),
        Command::Dice(dice) => dice::run(&dice, json),
        Command::Measure(measure) => measure::run(&measure, json),
        Command::Export(export) => export::run(&export, json),
        Command::Eval(eval) => eval::run(&eval, json),
        Command::Weights { command } => weights::run(&command, json),
        Command::Info(info) => info::run(&info, json),
        Command::Sample { folder } => sample::run(&folder, json),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// A message for the person at the terminal; every library error becomes one.
pub type Failure = Box<dyn std::error::Error>;

/// Help as clap prints it; wrong arguments in one line, without the paragraphs of usage.
fn usage(error: &clap::Error) -> ExitCode {
    use ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand as NothingGiven;
    if !error.use_stderr() || error.kind() == NothingGiven {
        error.exit();
    }
    let text = error.render().to_string();
    let said = |p: &&str| p.starts_with("error: ") || p.trim_start().starts_with("tip: ");
    let said = text.split("\n\n").filter(said).map(one_line);
    let said = said.collect::<Vec<_>>().join("; ");
    let said = said.strip_prefix("error: ").unwrap_or(&said);
    complain(&format!("{said} (see --help)"));
    ExitCode::from(2)
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// One line on standard error, whatever is in a file's name.
pub fn complain(message: &str) {
    let line = one_line(message);
    // With standard error closed there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "oneslice: {line}");
}
