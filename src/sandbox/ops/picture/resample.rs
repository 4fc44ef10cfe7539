//! Making a picture larger, smaller or softer: each new pixel is a weighted mean of old ones, down first and then across. One row of
//! intermediate values is all that it keeps. Colours are weighted by their opacity, so that what nobody sees does not shine through.

use std::ops::RangeInclusive;

use serde::Deserialize;

use super::geometry::Size;
use super::pixels::Pixels;
use super::{Halt, Problem};

/// What the taps of one pixel of a side take, in bytes, on the whole.
const TAP_BYTES: u64 = 80;

/// What the weights are taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kernel {
    Nearest,
    Linear,
    Cubic,
    Mitchell,
    Lanczos2,
    #[default]
    Lanczos3,
    Mks2013,
    Mks2021,
}

impl Kernel {
    /// How far it reaches, in pixels of the smaller picture.
    fn reach(self) -> f64 {
        match self {
            Kernel::Nearest => 0.5,
            Kernel::Linear => 1.0,
            Kernel::Cubic | Kernel::Mitchell | Kernel::Lanczos2 => 2.0,
            Kernel::Lanczos3 => 3.0,
            Kernel::Mks2013 => 2.5,
            Kernel::Mks2021 => 4.5,
        }
    }

    /// The weight of a pixel at a distance.
    fn weight(self, distance: f64) -> f64 {
        let x = distance.abs();
        if x > self.reach() {
            return 0.0;
        }
        match self {
            Kernel::Nearest => 1.0,
            Kernel::Linear => 1.0 - x,
            Kernel::Cubic => cubic(x, 0.0, 0.5),
            Kernel::Mitchell => cubic(x, 1.0 / 3.0, 1.0 / 3.0),
            Kernel::Lanczos2 => sinc(x) * sinc(x / 2.0),
            Kernel::Lanczos3 => sinc(x) * sinc(x / 3.0),
            Kernel::Mks2013 => magic(x),
            Kernel::Mks2021 => magic_sharp(x),
        }
    }

    /// What is used to make a side larger: the long kernels would ring.
    fn enlarging(self) -> Kernel {
        match self {
            Kernel::Nearest | Kernel::Linear => self,
            _ => Kernel::Cubic,
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) }
}

/// The cubics of Mitchell and Netravali.
fn cubic(x: f64, b: f64, c: f64) -> f64 {
    let (squared, cubed) = (x * x, x * x * x);
    if x < 1.0 {
        ((12.0 - 9.0 * b - 6.0 * c) * cubed + (-18.0 + 12.0 * b + 6.0 * c) * squared + (6.0 - 2.0 * b)) / 6.0
    } else {
        ((-b - 6.0 * c) * cubed + (6.0 * b + 30.0 * c) * squared + (-12.0 * b - 48.0 * c) * x + (8.0 * b + 24.0 * c)) / 6.0
    }
}

/// The "magic" kernel of 2013: a quadratic B-spline, sharpened.
fn magic(x: f64) -> f64 {
    if x >= 1.5 {
        -0.125 * (x - 2.5) * (x - 2.5)
    } else if x >= 0.5 {
        0.25 * (4.0 * x * x - 11.0 * x + 7.0)
    } else {
        1.0625 - 1.75 * x * x
    }
}

/// The "magic" kernel of 2021, sharpened further.
fn magic_sharp(x: f64) -> f64 {
    if x >= 3.5 {
        (4.0 * x * x - 36.0 * x + 81.0) / -1152.0
    } else if x >= 2.5 {
        (4.0 * x * x - 27.0 * x + 45.0) / 144.0
    } else if x >= 1.5 {
        (24.0 * x * x - 113.0 * x + 130.0) / -144.0
    } else if x >= 0.5 {
        (140.0 * x * x - 379.0 * x + 239.0) / 144.0
    } else {
        577.0 / 576.0 - 239.0 / 144.0 * x * x
    }
}

/// Which old pixels make a new one, and with what weights, which add up to 1.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// The taps of each new pixel along one side.
fn taps(from: u32, to: u32, kernel: Kernel) -> Vec<Taps> {
    let step = f64::from(from) / f64::from(to);
    let kernel = if to > from { kernel.enlarging() } else { kernel };
    let stretch = step.max(1.0);
    let reach = kernel.reach() * stretch;
    (0..to)
        .map(|new| {
            let centre = (f64::from(new) + 0.5) * step;
            if kernel == Kernel::Nearest {
                return Taps { first: (centre as usize).min(from as usize - 1), weights: vec![1.0] };
            }
            let (first, last) = ((centre - reach).floor() as i64, (centre + reach).ceil() as i64);
            edged(from, first..=last, |old| kernel.weight((old as f64 + 0.5 - centre) / stretch))
        })
        .collect()
}

/// How many pixels away a Gaussian is still above `least` of its height.
fn reach(sigma: f64, least: f64) -> i64 {
    (sigma * (-2.0 * least.ln()).sqrt()) as i64
}

/// The taps of a Gaussian blur along one side; beyond the edges lies the edge.
fn soft_taps(side: u32, sigma: f64, reach: i64) -> Vec<Taps> {
    let curve: Vec<f64> = (-reach..=reach).map(|at| (-((at * at) as f64) / (2.0 * sigma * sigma)).exp()).collect();
    (0..i64::from(side)).map(|centre| edged(side, centre - reach..=centre + reach, |at| curve[(at - centre + reach) as usize])).collect()
}

/// The taps of a range of places, by their weights; beyond the edges lies the edge.
fn edged(side: u32, places: RangeInclusive<i64>, weight: impl Fn(i64) -> f64) -> Taps {
    let last = i64::from(side) - 1;
    let (low, high) = ((*places.start()).clamp(0, last), (*places.end()).clamp(0, last));
    let mut weights = vec![0.0; (high - low + 1) as usize];
    for place in places {
        weights[(place.clamp(low, high) - low) as usize] += weight(place);
    }
    let sum: f64 = weights.iter().sum();
    Taps { first: low as usize, weights: weights.iter().map(|weight| (weight / sum) as f32).collect() }
}

impl Pixels {
    /// Scaled to a size.
    pub fn resize(&self, size: Size, kernel: Kernel, halt: &Halt) -> Result<Pixels, Problem> {
        let sides = [self.size.width, self.size.height, size.width, size.height].into_iter().map(u64::from).sum::<u64>();
        halt.room(size.bytes(self.channels).saturating_add(sides * TAP_BYTES))?;
        self.woven(size, &taps(self.size.height, size.height, kernel), &taps(self.size.width, size.width, kernel), halt)
    }

    /// Blurred by a Gaussian of this standard deviation in pixels, which ends where it falls below `least` of its height.
    pub fn blur(&self, sigma: f64, least: f64, halt: &Halt) -> Result<Pixels, Problem> {
        let reach = reach(sigma, least);
        let sides = u64::from(self.size.width) + u64::from(self.size.height);
        halt.room(self.size.bytes(self.channels).saturating_add(sides.saturating_mul(4 * (2 * reach as u64 + 1) + TAP_BYTES)))?;
        let (down, across) = (soft_taps(self.size.height, sigma, reach), soft_taps(self.size.width, sigma, reach));
        self.woven(self.size, &down, &across, halt)
    }

    /// Each pixel the mean of itself and its eight neighbours.
    pub fn soften(&self, halt: &Halt) -> Result<Pixels, Problem> {
        let thirds =
            |side: u32| -> Vec<Taps> { (0..i64::from(side)).map(|centre| edged(side, centre - 1..=centre + 1, |_| 1.0)).collect() };
        self.woven(self.size, &thirds(self.size.height), &thirds(self.size.width), halt)
    }

    fn woven(&self, size: Size, down: &[Taps], across: &[Taps], halt: &Halt) -> Result<Pixels, Problem> {
        let (channels, wide) = (self.channels, self.row_bytes());
        let opacity = self.has_opacity().then_some(channels - 1);
        let mut data = Vec::with_capacity(size.pixels() as usize * channels);
        let mut row = vec![0f32; wide];
        for taps in down {
            halt.check()?;
            row.fill(0.0);
            for (old, weight) in taps.weights.iter().enumerate() {
                let from = (taps.first + old) * wide;
                add(&mut row, &self.data[from..from + wide], *weight, channels, opacity.is_some());
            }
            for taps in across {
                let mut sums = [0f32; 4];
                let pixels = row[taps.first * channels..].chunks_exact(channels);
                for (pixel, weight) in pixels.zip(&taps.weights) {
                    for (sum, value) in sums.iter_mut().zip(pixel) {
                        *sum += value * weight;
                    }
                }
                if let Some(opacity) = opacity {
                    let seen = sums[opacity];
                    for colour in &mut sums[..opacity] {
                        *colour = if seen > 0.0 { *colour * 255.0 / seen } else { 0.0 };
                    }
                }
                data.extend(sums[..channels].iter().map(|sum| (sum + 0.5).clamp(0.0, 255.0) as u8));
            }
        }
        Ok(Pixels { size, channels, data })
    }

    /// Turned clockwise by any angle, about its middle, with straight lines between the pixels.
    pub fn turn(&self, degrees: f64, size: Size, ground: [u8; 4], halt: &Halt) -> Result<Pixels, Problem> {
        let from = if ground[3] < 255 { self.clone().with_opacity(255) } else { self.clone() };
        let under = from.colour(ground);
        let (sin, cos) = degrees.to_radians().sin_cos();
        let middle = |size: Size| (f64::from(size.width) / 2.0, f64::from(size.height) / 2.0);
        let ((old_x, old_y), (new_x, new_y)) = (middle(from.size), middle(size));
        halt.room(size.bytes(from.channels))?;
        let mut data = Vec::with_capacity(size.pixels() as usize * from.channels);
        for y in 0..size.height {
            halt.check()?;
            for x in 0..size.width {
                let (dx, dy) = (f64::from(x) + 0.5 - new_x, f64::from(y) + 0.5 - new_y);
                from.between(dx * cos + dy * sin + old_x - 0.5, -dx * sin + dy * cos + old_y - 0.5, &under, &mut data);
            }
        }
        Ok(Pixels { size, channels: from.channels, data })
    }

    /// The colour at a place between four pixels; outside there is the ground.
    fn between(&self, x: f64, y: f64, under: &[u8], into: &mut Vec<u8>) {
        let (left, top) = (x.floor(), y.floor());
        let (right_part, lower_part) = (x - left, y - top);
        let mut sums = [0f64; 4];
        let mut seen = 0.0;
        for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            let part = |far: f64, share: f64| if far == 0.0 { 1.0 - share } else { share };
            let weight = part(dx, right_part) * part(dy, lower_part);
            let (x, y) = (left + dx, top + dy);
            let inside = x >= 0.0 && y >= 0.0 && x < f64::from(self.size.width) && y < f64::from(self.size.height);
            let from = (y.max(0.0) as usize * self.size.width as usize + x.max(0.0) as usize) * self.channels;
            let pixel = if inside { &self.data[from..from + self.channels] } else { under };
            let opacity = if self.has_opacity() { f64::from(pixel[self.channels - 1]) / 255.0 } else { 1.0 };
            for (sum, value) in sums.iter_mut().zip(&pixel[..self.colours()]) {
                *sum += f64::from(*value) * weight * opacity;
            }
            seen += weight * opacity;
        }
        into.extend(sums[..self.colours()].iter().map(|sum| if seen > 0.0 { (sum / seen).round().min(255.0) as u8 } else { 0 }));
        if self.has_opacity() {
            into.push((seen * 255.0).round() as u8);
        }
    }
}

/// Adds a row of pixels, weighted; colours by their opacity too.
fn add(row: &mut [f32], pixels: &[u8], weight: f32, channels: usize, has_opacity: bool) {
    if !has_opacity {
        for (sum, value) in row.iter_mut().zip(pixels) {
            *sum += f32::from(*value) * weight;
        }
        return;
    }
    for (sums, pixel) in row.chunks_exact_mut(channels).zip(pixels.chunks_exact(channels)) {
        let seen = f32::from(pixel[channels - 1]);
        for (sum, value) in sums[..channels - 1].iter_mut().zip(pixel) {
            *sum += f32::from(*value) * seen / 255.0 * weight;
        }
        sums[channels - 1] += seen * weight;
    }
}
