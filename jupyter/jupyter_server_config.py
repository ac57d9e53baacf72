"""Settings of the JupyterLab that `make lab` opens. Your own ~/.jupyter stays as it is."""

from pathlib import Path

c = get_config()

# Only this machine can knock.
c.ServerApp.ip = "127.0.0.1"
# nbgrader's formgrader wants the course inside the folder that the server shows.
c.ServerApp.root_dir = str(Path(__file__).resolve().parents[1])
# Chapters and sources are text: what is pasted into them is kept beside them.
c.ServerApp.contents_manager_class = "course_lib.grading.course.lab_files.TextNotebooks"
# Validate as `course check` does; the formgrader without a warning of an exchange that is not used.
# The lists of assignments and courses are for students on a JupyterHub.
c.ServerApp.jpserver_extensions = {
    "course_lib.assignments.lab_server": True,
    "nbgrader.server_extensions.assignment_list": False,
    "nbgrader.server_extensions.course_list": False,
}
