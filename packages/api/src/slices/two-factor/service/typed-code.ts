/** As it was shown: people type spaces and dashes for reading, and lower case. */
export const typedCode = (text: string): string => text.replace(/[\s-]/g, '').toUpperCase();
