//! A picture as PNG.

use crate::Error;
use resvg::{tiny_skia, usvg};

/// Pixels for each unit of the SVG.
const SCALE: f32 = 2.0;
/// The longest side, in pixels; larger pictures are refused, not scaled down until nobody can read
/// them.
const LONGEST: f32 = 16_000.0;

/// Renders an SVG with the font that is built in, whatever fonts the machine has.
///
/// # Errors
///
/// When the picture is too large.
pub(crate) fn render(svg: &str) -> Result<Vec<u8>, Error> {
    let failed = |why: String| Error::Write {
        what: "a picture",
        why,
    };
    let mut options = usvg::Options {
        font_family: "DejaVu Sans".to_owned(),
        ..usvg::Options::default()
    };
    let fonts = options.fontdb_mut();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    let tree = usvg::Tree::from_str(svg, &options).map_err(|error| failed(error.to_string()))?;
    let (width, height) = (tree.size().width() * SCALE, tree.size().height() * SCALE);
    if width.max(height) > LONGEST {
        return Err(Error::Refused(format!(
            "the picture would have {width:.0} × {height:.0} pixels, and {LONGEST:.0} is the most \
             for a side: draw a part of it with --from and --to, or take --svg"
        )));
    }
    let mut pixels = tiny_skia::Pixmap::new(width.ceil() as u32, height.ceil() as u32)
        .ok_or_else(|| failed("it has no size".to_owned()))?;
    let scale = tiny_skia::Transform::from_scale(SCALE, SCALE);
    resvg::render(&tree, scale, &mut pixels.as_mut());
    pixels
        .encode_png()
        .map_err(|error| failed(error.to_string()))
}
