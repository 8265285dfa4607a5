"""The requests of States: one or two files for each of the other four funds."""

from portal.demo.story.telling import Story


def prepare(story: Story) -> None:
    """Plan the files of the funds for States."""
    del story
