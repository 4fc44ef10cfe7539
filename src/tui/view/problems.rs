//! What is wrong with the project, and what to do about each.

use ratatui::layout::Rect;

use super::paint::{left, right, stretch};
use super::{Canvas, split_left, split_top};
use crate::telemetry::Level;
use crate::tui::state::{Hit, top};
use crate::tui::text;

impl Canvas<'_> {
    pub(super) fn problems(&mut self, area: Rect) {
        let (problems, theme) = (&self.state.problems, self.theme);
        let (errors, warnings) = problems.standing();
        let aside = format!("{}, {}", text::counted(errors as u64, "error"), text::counted(warnings as u64, "warning"));
        let shown = problems.shown();
        let (upper, lower) = if area.width >= 160 {
            split_left(area, area.width / 2)
        } else {
            split_top(area, (shown.len() as u16 + 3).clamp(6, (area.height / 2).max(6)))
        };
        if shown.is_empty() {
            let inner = self.panel(area, "Problems", "");
            if problems.search.is_empty() {
                self.empty(inner, &["No problems", "Build errors, warnings and waste appear here, each with what to do"]);
            } else {
                self.empty(inner, &["No problem holds what you search for", "Esc drops the search"]);
            }
            return;
        }
        let inner = self.panel(upper, "Problems", &aside);
        let (head, rows) = split_top(inner, 1);
        let mut columns =
            [left("", 5), left("what", 0), left("where", if inner.width >= 90 { 36 } else { 22 }), right("times", 5), left("last", 8)];
        stretch(&mut columns, 1, inner.width, 10);
        self.heads(head, &columns);
        self.drawn.page = usize::from(rows.height);
        let selected = problems.row.min(shown.len() - 1);
        let from = top(selected, shown.len(), usize::from(rows.height));
        for (row, (place, told)) in shown.iter().enumerate().skip(from).take(usize::from(rows.height)).enumerate() {
            let problem = &told.problem;
            let (word, style) = match (told.over, problem.level) {
                (true, _) => ("over", theme.dim()),
                (false, Level::Error) => ("error", theme.bad()),
                (false, Level::Warn) => ("warn", theme.warn()),
                (false, _) => ("note", theme.plain()),
            };
            let text_style = if told.over { theme.dim() } else { theme.plain() };
            let cells = [
                (word.to_owned(), style),
                (problem.message.clone(), text_style),
                (problem.place.as_deref().map(shortened).unwrap_or_default().to_owned(), theme.dim()),
                (text::count(told.times), theme.dim()),
                (text::clock(told.last), theme.dim()),
            ];
            self.cells(rows, row as u16, &columns, &cells, place == selected);
            self.drawn.hits.push((Rect { y: rows.y + row as u16, height: 1, ..rows }, Hit::Row(place)));
        }
        let problem = &shown[selected].problem;
        let inner = self.panel(lower, "What to do", problem.place.as_deref().unwrap_or_default());
        let mut text = String::new();
        // A frame is a whole message already.
        match &problem.frame {
            Some(frame) => text.push_str(frame.trim_end()),
            None => text.push_str(&problem.message),
        }
        if let Some(help) = problem.help.as_deref().filter(|help| !text.contains(*help)) {
            text.push_str("\n\n");
            text.push_str(help);
        }
        self.text(inner, &text, 0, theme.plain());
    }
}

/// The end of a long path: its file and line.
fn shortened(place: &str) -> &str {
    const WIDE: usize = 34;
    if place.len() <= WIDE { place } else { place.rsplit('/').next().unwrap_or(place) }
}
