/** A file's size for people: kilobytes below a megabyte, then megabytes. */
export function fileSize(bytes: number, language: string): string {
  const large = bytes >= 1_000_000;
  const amount = large ? bytes / 1_000_000 : Math.max(1, Math.round(bytes / 1000));
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: large ? "megabyte" : "kilobyte",
    maximumFractionDigits: 1,
  }).format(amount);
}
