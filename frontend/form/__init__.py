"""The form of a new comparison, made from the catalogue: fields, draft, problems and widgets."""
