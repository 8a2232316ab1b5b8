"""Messages as they are: omnipkg speaks one language. Scripts of the first omnipkg wrap their texts in ``_``."""


class _Translator(object):
    """Gives every text back unchanged, so that `_("…{}").format(…)` and `"…" + _("…")` mean what they say."""

    language = "en"

    def __call__(self, text="", *_args, **_named):
        return text

    gettext = __call__

    def ngettext(self, singular, plural, number):
        return singular if number == 1 else plural

    def set_language(self, language=None, *_args, **_named):
        """Kept for scripts that call it: there is one language, and this chooses it."""

    def get_language(self):
        return self.language


_ = _Translator()
gettext = _.gettext
ngettext = _.ngettext
set_language = _.set_language


def get_available_languages():
    """The languages that there are, by code."""
    return {"en": "English"}
