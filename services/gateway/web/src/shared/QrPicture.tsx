import { useMemo } from "react";
import { encode } from "uqr";
import classes from "./QrPicture.module.css";

/** The empty edge that a camera needs, in squares (ISO/IEC 18004). */
const EDGE = 4;

interface QrPictureProps {
  value: string;
  /** What the picture is, and where the same is written for those who cannot scan it. */
  label: string;
}

/** A text as a QR code, drawn here: the text goes nowhere, and no picture is asked for. */
export function QrPicture({ value, label }: QrPictureProps) {
  const { size, path } = useMemo(() => draw(value), [value]);
  return (
    <svg
      className={classes.picture}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      role="img"
      aria-label={label}
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

/** One line of the path per run of dark squares. */
function draw(value: string): { size: number; path: string } {
  const { data, size } = encode(value, { ecc: "M", border: EDGE });
  const runs = data.flatMap((row, y) =>
    [
      ...row
        .map((dark) => (dark ? "1" : "0"))
        .join("")
        .matchAll(/1+/g),
    ].map(({ index, 0: run }) => `M${index} ${y}h${run.length}v1h-${run.length}z`),
  );
  return { size, path: runs.join("") };
}
