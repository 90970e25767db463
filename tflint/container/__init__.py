"""Opens containers of models (`.task` bundles, which are zips, and `.litertlm` bundles), lists members and problems.

Input: a source. Output: `Contents`, and a source for each member that is a model or a container. Never writes to disk.
Must not know the content of models, or rules.
"""

from tflint.container.container_contents import Budget, Contents, Member, refuse_member
from tflint.container.container_reader import read_contents, refuse_oversized_zip
from tflint.container.member_reader import open_member

__all__ = ["Budget", "Contents", "Member", "open_member", "read_contents", "refuse_member", "refuse_oversized_zip"]
