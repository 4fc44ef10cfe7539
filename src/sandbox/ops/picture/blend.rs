//! Laying one picture over another, by the rules of Porter and Duff and the blend modes of PDF.

use serde::Deserialize;

use super::pixels::Pixels;
use super::{Halt, Problem};

/// How an upper pixel and the one beneath it become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blend {
    Clear,
    Source,
    #[default]
    Over,
    In,
    Out,
    Atop,
    Dest,
    DestOver,
    DestIn,
    DestOut,
    DestAtop,
    Xor,
    Add,
    Saturate,
    Multiply,
    Screen,
    Overlay,
    Darken,
    Lighten,
    ColourDodge,
    ColourBurn,
    HardLight,
    SoftLight,
    Difference,
    Exclusion,
}

impl Blend {
    /// The shares of the upper and of the lower pixel, by their opacities; `None` for modes that mix colours.
    fn shares(self, upper: f32, lower: f32) -> Option<(f32, f32)> {
        Some(match self {
            Blend::Clear => (0.0, 0.0),
            Blend::Source => (1.0, 0.0),
            Blend::Over => (1.0, 1.0 - upper),
            Blend::In => (lower, 0.0),
            Blend::Out => (1.0 - lower, 0.0),
            Blend::Atop => (1.0, 1.0 - upper),
            Blend::Dest => (0.0, 1.0),
            Blend::DestOver => (1.0 - lower, 1.0),
            Blend::DestIn => (0.0, upper),
            Blend::DestOut => (0.0, 1.0 - upper),
            Blend::DestAtop => (1.0 - lower, 1.0),
            Blend::Xor => (1.0 - lower, 1.0 - upper),
            Blend::Add => (1.0, 1.0),
            Blend::Saturate => ((1.0 - lower).min(upper), 1.0),
            _ => return None,
        })
    }

    /// What an upper and a lower colour are together.
    fn mix(self, upper: f32, lower: f32) -> f32 {
        match self {
            Blend::Multiply => upper * lower,
            Blend::Screen => upper + lower - upper * lower,
            Blend::Overlay => Blend::HardLight.mix(lower, upper),
            Blend::Darken => upper.min(lower),
            Blend::Lighten => upper.max(lower),
            Blend::ColourDodge if lower == 0.0 => 0.0,
            Blend::ColourDodge => (lower / (1.0 - upper).max(f32::EPSILON)).min(1.0),
            Blend::ColourBurn if lower >= 1.0 => 1.0,
            Blend::ColourBurn => 1.0 - ((1.0 - lower) / upper.max(f32::EPSILON)).min(1.0),
            Blend::HardLight if upper <= 0.5 => 2.0 * upper * lower,
            Blend::HardLight => Blend::Screen.mix(2.0 * upper - 1.0, lower),
            Blend::SoftLight if upper <= 0.5 => lower - (1.0 - 2.0 * upper) * lower * (1.0 - lower),
            Blend::SoftLight => {
                let bright = if lower <= 0.25 { ((16.0 * lower - 12.0) * lower + 4.0) * lower } else { lower.sqrt() };
                lower + (2.0 * upper - 1.0) * (bright - lower)
            }
            Blend::Difference => (upper - lower).abs(),
            Blend::Exclusion => upper + lower - 2.0 * upper * lower,
            _ => upper,
        }
    }

    /// Two pixels of red, green, blue and opacity.
    fn pixel(self, upper: [u8; 4], lower: [u8; 4]) -> [u8; 4] {
        let part = |value: u8| f32::from(value) / 255.0;
        let (above, below) = (part(upper[3]), part(lower[3]));
        let shares = self.shares(above, below);
        let opacity = match shares {
            // These three as libvips counts, not as Porter and Duff do.
            Some(_) if self == Blend::Saturate => (above + below).min(1.0),
            Some(_) if self == Blend::Atop => below,
            Some(_) if self == Blend::DestAtop => above,
            Some((mine, theirs)) => (mine * above + theirs * below).min(1.0),
            None => above + below - above * below,
        };
        let mut mixed = [0, 0, 0, (opacity * 255.0).round() as u8];
        if opacity <= 0.0 {
            return mixed;
        }
        for channel in 0..3 {
            // Weighted by opacity throughout, also where colours are mixed, as libvips does.
            let (own, under) = (above * part(upper[channel]), below * part(lower[channel]));
            let sum = match shares {
                Some((mine, theirs)) => mine * own + theirs * under,
                None => (1.0 - below) * own + (1.0 - above) * under + above * below * self.mix(own, under),
            };
            // A hundredth, so that a whole number stays one.
            mixed[channel] = (sum / opacity * 255.0 + 0.01).min(255.0) as u8;
        }
        mixed
    }
}

/// Lays `upper` over `lower` with its corner at a place, which may be outside. Both have red, green, blue and opacity.
pub fn lay(lower: &mut Pixels, upper: &Pixels, left: i64, top: i64, blend: Blend, halt: &Halt) -> Result<(), Problem> {
    // These look at all of the lower picture: beside the upper one there is nothing.
    let everywhere = matches!(blend, Blend::Clear | Blend::Source | Blend::In | Blend::Out | Blend::DestIn | Blend::DestAtop);
    let (width, row_bytes, upper_bytes) = (i64::from(lower.size.width), lower.row_bytes(), upper.row_bytes());
    for (y, row) in lower.data.chunks_exact_mut(row_bytes).enumerate() {
        halt.check()?;
        let from = usize::try_from(y as i64 - top).ok().filter(|from| *from < upper.size.height as usize);
        let upper_row = from.map(|from| &upper.data[from * upper_bytes..(from + 1) * upper_bytes]);
        if upper_row.is_none() && !everywhere {
            continue;
        }
        let columns = if everywhere { 0..width } else { left.clamp(0, width)..(left + i64::from(upper.size.width)).clamp(0, width) };
        for x in columns {
            let at = x as usize * 4;
            let pixel = &mut row[at..at + 4];
            let above = usize::try_from(x - left).ok().and_then(|x| upper_row?.get(x * 4..x * 4 + 4));
            let above = above.and_then(|four| four.try_into().ok()).unwrap_or([0; 4]);
            let mixed = blend.pixel(above, [pixel[0], pixel[1], pixel[2], pixel[3]]);
            pixel.copy_from_slice(&mixed);
        }
    }
    Ok(())
}
