"""Opens containers of models, `.task` (zip) and `.litertlm` bundles: lists members and says what is wrong with them.

Takes a source, gives `Contents`, and a source for each member that is a model or a container itself. Nothing is written
to disk. It refuses to know what is in a model, and rules.
"""

from tflint.container.container_contents import Budget, Contents, Member, refused
from tflint.container.container_reader import contents_of, refused_zip
from tflint.container.member_reader import open_member

__all__ = ["Budget", "Contents", "Member", "contents_of", "open_member", "refused", "refused_zip"]
