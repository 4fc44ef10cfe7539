//! A list that grows at its end: what is shown of it, and which row is selected.

use std::collections::VecDeque;

/// Numbers of records that are on a list, and the one that is selected. While none is, the list follows: its newest row is.
#[derive(Default)]
pub struct Feed {
    numbers: VecDeque<u64>,
    cursor: Option<u64>,
    max: usize,
}

impl Feed {
    /// A list of `max` rows at most; it follows.
    pub fn new(max: usize) -> Feed {
        Feed { numbers: VecDeque::new(), cursor: None, max }
    }

    /// Puts a newer row at the end.
    pub fn push(&mut self, number: u64) {
        self.numbers.push_back(number);
        if self.numbers.len() > self.max {
            self.numbers.pop_front();
        }
    }

    /// Takes away what is older than `first`.
    pub fn forget_before(&mut self, first: u64) {
        while self.numbers.front().is_some_and(|number| *number < first) {
            self.numbers.pop_front();
        }
    }

    /// Puts other rows in the place of all; what was selected stays so if it is among them.
    pub fn fill(&mut self, numbers: impl Iterator<Item = u64>) {
        self.numbers = numbers.collect();
        while self.numbers.len() > self.max {
            self.numbers.pop_front();
        }
        if self.cursor.is_some_and(|cursor| self.numbers.binary_search(&cursor).is_err()) {
            self.cursor = None;
        }
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Whether the newest row is selected, whichever it is.
    pub fn follows(&self) -> bool {
        self.cursor.is_none()
    }

    /// Follows, or stays with the row that is selected now.
    pub fn set_follow(&mut self, follow: bool) {
        self.cursor = if follow { None } else { self.selected() };
    }

    /// The place of the selected row; where that is forgotten, of the oldest after it.
    pub fn place(&self) -> Option<usize> {
        let last = self.numbers.len().checked_sub(1)?;
        Some(self.cursor.map_or(last, |cursor| self.numbers.partition_point(|number| *number < cursor).min(last)))
    }

    /// The number of the selected row.
    pub fn selected(&self) -> Option<u64> {
        self.place().and_then(|place| self.numbers.get(place).copied())
    }

    /// Selects the row at a place, or the last.
    pub fn select(&mut self, place: usize) {
        self.cursor = self.numbers.get(place.min(self.numbers.len().saturating_sub(1))).copied();
    }

    /// Moves by so many rows; below the last it follows.
    pub fn step(&mut self, rows: isize) {
        let Some(place) = self.place() else { return };
        let wanted = place.saturating_add_signed(rows);
        if rows > 0 && wanted >= self.numbers.len() { self.cursor = None } else { self.select(wanted) }
    }

    /// The places that fit into `height` rows, with the selected one among them, and their numbers.
    pub fn window(&self, height: usize) -> impl Iterator<Item = (usize, u64)> {
        let start = top(self.place().unwrap_or(0), self.numbers.len(), height);
        self.numbers.iter().copied().enumerate().skip(start).take(height)
    }
}

/// Which of `len` rows is the topmost of `height`, so that the selected one is as near to the middle as can be. Needs no memory of where
/// it was, and keeps still while rows come after.
pub fn top(selected: usize, len: usize, height: usize) -> usize {
    selected.saturating_sub(height / 2).min(len.saturating_sub(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(numbers: std::ops::Range<u64>) -> Feed {
        let mut feed = Feed::new(100);
        numbers.for_each(|number| feed.push(number));
        feed
    }

    #[test]
    fn it_follows_until_somebody_looks_back_and_again_below_the_last() {
        let mut feed = feed(0..10);
        assert_eq!(feed.selected(), Some(9));
        feed.step(-2);
        feed.push(10);
        assert_eq!((feed.selected(), feed.follows()), (Some(7), false));
        feed.step(100);
        feed.push(11);
        assert_eq!((feed.selected(), feed.follows()), (Some(11), true));
    }

    #[test]
    fn what_is_forgotten_is_no_longer_selected() {
        let mut feed = feed(0..10);
        feed.select(2);
        feed.forget_before(5);
        assert_eq!((feed.selected(), feed.len()), (Some(5), 5));
        feed.fill([6, 8].into_iter());
        assert!(feed.follows());
        feed.forget_before(100);
        assert_eq!((feed.selected(), feed.place()), (None, None));
    }

    #[test]
    fn the_selected_row_is_always_in_the_window() {
        let mut feed = feed(0..50);
        for place in 0..50 {
            feed.select(place);
            for height in 1..60 {
                let shown: Vec<usize> = feed.window(height).map(|(place, _)| place).collect();
                assert!(shown.contains(&place) && shown.len() == height.min(50), "{place} of {height}: {shown:?}");
            }
        }
    }
}
