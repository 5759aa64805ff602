// Why a template cannot be read or rendered.

/** Why a template does not render: as Python would refuse it, or because something is not supported here. */
export class TemplateError extends Error {}

/** Something of Jinja or Python that is not built here, by its name. */
export const missing = (what: string): TemplateError => new TemplateError(`${what} is not supported in templates`);
