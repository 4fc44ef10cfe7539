//! What is wrong with the project, each thing once.

use crate::base::Time;
use crate::telemetry::{Level, Problem};
use crate::tui::text::holds;

/// Different things that are remembered.
const PROBLEMS_MAX: usize = 500;

/// A problem, and how often it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub problem: Problem,
    pub times: u64,
    pub last: Time,
    /// A reload has happened since and did not tell it again.
    pub over: bool,
}

/// The problems, newest first; those that are over come last.
#[derive(Default)]
pub struct Problems {
    told: Vec<Told>,
    pub row: usize,
    /// In lower case.
    pub search: String,
}

impl Problems {
    /// Takes a problem in.
    pub fn tell(&mut self, problem: &Problem) {
        let same = |told: &Told| told.problem.message == problem.message && told.problem.place == problem.place;
        let times = match self.told.iter().position(same) {
            Some(at) => self.told.remove(at).times + 1,
            None => 1,
        };
        self.told.insert(0, Told { problem: problem.clone(), times, last: problem.at, over: false });
        self.told.truncate(PROBLEMS_MAX);
    }

    /// A build went by: every error that a file has is told again after it, or is over.
    pub fn reloaded(&mut self) {
        for told in &mut self.told {
            told.over |= told.problem.place.is_some() && told.problem.level == Level::Error;
        }
    }

    /// Those that the search shows, those that still stand first.
    pub fn shown(&self) -> Vec<&Told> {
        let fits = |told: &&Told| {
            let problem = &told.problem;
            [Some(&problem.message), problem.help.as_ref(), problem.place.as_ref()]
                .into_iter()
                .flatten()
                .any(|text| holds(text.as_bytes(), &self.search))
        };
        let mut shown: Vec<&Told> = self.told.iter().filter(fits).collect();
        shown.sort_by_key(|told| told.over);
        shown
    }

    /// How many stand: errors, and what is less grave.
    pub fn standing(&self) -> (usize, usize) {
        let standing = || self.told.iter().filter(|told| !told.over);
        let errors = standing().filter(|told| told.problem.level == Level::Error).count();
        (errors, standing().count() - errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(message: &str, place: Option<&str>) -> Problem {
        Problem { at: Time(0), level: Level::Error, message: message.into(), help: None, place: place.map(Into::into), frame: None }
    }

    #[test]
    fn a_build_error_is_over_once_a_reload_does_not_tell_it_again() {
        let mut problems = Problems::default();
        problems.tell(&problem("no zod", Some("a.ts:1:1")));
        problems.tell(&problem("no zod", Some("b.ts:1:1")));
        problems.tell(&problem("port taken", None));
        assert_eq!(problems.standing(), (3, 0));
        problems.reloaded();
        problems.tell(&problem("no zod", Some("b.ts:1:1")));
        let shown: Vec<_> = problems.shown().iter().map(|told| (told.problem.place.as_deref(), told.times, told.over)).collect();
        assert_eq!(shown, [(Some("b.ts:1:1"), 2, false), (None, 1, false), (Some("a.ts:1:1"), 1, true)]);
        problems.search = "b.ts".into();
        assert_eq!(problems.shown().len(), 1);
    }

    #[test]
    fn problems_without_end_are_bounded() {
        let mut problems = Problems::default();
        (0..2_000).for_each(|n| problems.tell(&problem(&n.to_string(), None)));
        assert_eq!(problems.standing().0, PROBLEMS_MAX);
        assert_eq!(problems.shown()[0].problem.message, "1999");
    }
}
