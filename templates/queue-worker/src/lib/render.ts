/** Puts values in the places of a template: `Hello {{name}}`. A place without a value is an error. */
export const render = (template: string, values: Record<string, string>): string =>
  template.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`there is no value for ${name}`);
    return value;
  });
