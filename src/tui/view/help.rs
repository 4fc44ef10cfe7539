//! The overlays: what keys do here, made of the table that decides it; and questions.

use ratatui::layout::Rect;

use super::Canvas;
use crate::tui::input::BINDINGS;
use crate::tui::text;

impl Canvas<'_> {
    pub(super) fn help(&mut self, area: Rect, scroll: usize) {
        let (scope, theme) = (self.state.scope(), self.theme);
        let here = BINDINGS.iter().filter(|binding| binding.is_in(scope) && !binding.is_general());
        let everywhere = BINDINGS.iter().filter(|binding| binding.is_general());
        let mut lines: Vec<(String, String)> = vec![(String::new(), "here".into())];
        lines.extend(here.map(|binding| (binding.keys(), binding.says.into())));
        lines.extend([(String::new(), String::new()), (String::new(), "everywhere".into())]);
        lines.extend(everywhere.map(|binding| (binding.keys(), binding.says.into())));
        lines.push(("mouse".into(), "click selects, again opens; the wheel moves".into()));
        let inner = self.window(area, 74, lines.len() as u16 + 2, "Keys");
        let scroll = scroll.min(lines.len().saturating_sub(usize::from(inner.height)));
        for (row, (keys, says)) in lines.iter().skip(scroll).take(usize::from(inner.height)).enumerate() {
            if keys.is_empty() {
                self.put(inner, row as u16, &[(" ", theme.plain()), (says, theme.bold())]);
            } else {
                self.put(
                    inner,
                    row as u16,
                    &[("  ", theme.plain()), (&text::fit(keys, 12), theme.accent()), (" ", theme.plain()), (says, theme.plain())],
                );
            }
        }
        if lines.len() > usize::from(inner.height) {
            self.put_right(inner, inner.height.saturating_sub(1), " ↑↓ more ", theme.dim());
        }
    }

    pub(super) fn confirm(&mut self, area: Rect, question: &str) {
        let wide = (text::width(question) as u16 + 6).clamp(40, area.width.max(40));
        let inner = self.window(area, wide, 5, "Sure?");
        let theme = self.theme;
        self.put(inner, 0, &[(" ", theme.plain()), (question, theme.bold())]);
        self.put(
            inner,
            2,
            &[(" y", theme.accent()), (" yes   ", theme.plain()), ("any other key", theme.accent()), (" no", theme.plain())],
        );
    }
}
