"""Renderers of reports, one module per format (`report_formats` lists them). Renderers return text, not files."""
