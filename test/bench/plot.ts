import type { Series } from './scenarios.ts';

const [WIDTH, HEIGHT, MARGIN] = [480, 300, 56];

/** A line with points on two logarithmic axes, as SVG. */
export function plot({ name, points }: Series): string {
  const x = axis(
    points.map(([value]) => value),
    MARGIN,
    WIDTH - 16,
  );
  const y = axis(
    points.map(([, value]) => value),
    HEIGHT - MARGIN,
    16,
  );
  const at = points.map(([size, value]) => `${x.at(size)},${y.at(value)}`);
  const labels = points.map(
    ([size, value]) =>
      `<circle cx="${x.at(size)}" cy="${y.at(value)}" r="3"/><text x="${x.at(size)}" y="${Number(y.at(value)) - 8}" text-anchor="middle">${value.toPrecision(2)}</text><text x="${x.at(size)}" y="${HEIGHT - MARGIN + 16}" text-anchor="middle">${size}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11" fill="#333">
<title>${name}</title>
<text x="${MARGIN}" y="${HEIGHT - 16}">${name}, by the number of connections (both axes logarithmic)</text>
<path d="M${MARGIN} 8V${HEIGHT - MARGIN}H${WIDTH - 8}" fill="none" stroke="#999"/>
<polyline points="${at.join(' ')}" fill="none" stroke="#0b62a4" stroke-width="2"/>
${labels.join('\n')}
</svg>
`;
}

/** Puts values between two places, by their logarithms. */
function axis(values: readonly number[], from: number, to: number): { at(value: number): string } {
  const logs = values.map(Math.log10);
  const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))];
  const span = Math.max(1, high - low);
  return { at: (value) => (from + ((Math.log10(value) - low) / span) * (to - from)).toFixed(1) };
}
