"""Opens containers of models and lists their members and problems.

A container is a `.task` bundle (a zip) or a `.litertlm` bundle. Input: a source. Output: `Contents`, and a source for
each member that is a model or a container. Never writes to disk. Must not know rules or the content of models.
"""

from tflint.container.container_contents import Budget, Contents, Member, refuse_member
from tflint.container.container_reader import read_contents, refuse_oversized_zip
from tflint.container.member_reader import open_member

__all__ = ["Budget", "Contents", "Member", "open_member", "read_contents", "refuse_member", "refuse_oversized_zip"]
