// The line above a plot: its title and a note. Its height is fixed.

interface PlotHeadProps {
  readonly title: string;
  readonly note?: string;
}

export function PlotHead({ title, note }: PlotHeadProps) {
  return (
    <p className="plot-head">
      <span className="plot-title">{title}</span>
      <span className="plot-note">{note}</span>
    </p>
  );
}
