"""The small grants: one file for each station of the journey."""

from portal.demo.story.telling import Story


def prepare(story: Story) -> None:
    """Plan the files of the small-grants programme."""
    del story
