"""nbgrader's settings for this course; its commands and the formgrader read this file.

The settings themselves are in course_lib/grading/course/config.py, where the sample class uses
them, too. A setting of your own goes below: it wins.
"""

from course_lib.grading.course.config import configure

c = get_config()
configure(c)
