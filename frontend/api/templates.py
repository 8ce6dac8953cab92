"""The calls of the API's client for templates of comparisons."""

from collections.abc import Mapping
from typing import Any

from frontend.api.transport import Transport, part
from frontend.api.types import Template, TemplateDetail, TemplateList


class TemplateCalls(Transport):
    """Calls for the templates that a team saves beside the presets."""

    def templates(self) -> list[Template]:
        """Return the team's templates of comparisons by name, without their specs."""
        return self._call(TemplateList, "GET", "/templates")["templates"]

    def template(self, template: str) -> TemplateDetail:
        """Return a template with its spec, and what is wrong with that by now."""
        return self._call(TemplateDetail, "GET", f"/templates/{part(template)}")

    def create_template(
        self, name: str, spec: Mapping[str, Any], *, note: str = ""
    ) -> TemplateDetail:
        """Save a template for everybody; fails if the name is taken."""
        body = {"name": name, "note": note, "spec": spec}
        return self._call(TemplateDetail, "POST", "/templates", body=body)

    def patch_template(self, template: str, **changes: Any) -> TemplateDetail:
        """Change the `name`, `note` or `spec` of a template."""
        return self._call(TemplateDetail, "PATCH", f"/templates/{part(template)}", body=changes)

    def delete_template(self, template: str) -> None:
        """Delete a template, not the comparisons that were made from it."""
        self._delete(f"/templates/{part(template)}")
