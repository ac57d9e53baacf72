"""From sound to text, on arrays: frames, spectrograms, mel filters, CTC, and errors that count.

`frames` cuts a sound into windowed frames and takes their power spectrum. `mel` sums it up as ears
do. `ctc` scores a text when nobody says which frame is which letter, and reads a network's answer.
`errors` has the field's measures: the word error rate and the equal error rate. `warping` compares
words that were said at different speeds, without any learning. `players` makes recordings that a
reader can play.
"""

from course_lib.speech.ctc import collapse, ctc_loss, greedy
from course_lib.speech.errors import edit_distance, equal_error_rate, word_error_rate
from course_lib.speech.frames import frame, hann, power_spectrogram
from course_lib.speech.mel import log_mel, mel_filters
from course_lib.speech.players import listen
from course_lib.speech.warping import warped_distance

__all__ = [
    "collapse",
    "ctc_loss",
    "edit_distance",
    "equal_error_rate",
    "frame",
    "greedy",
    "hann",
    "listen",
    "log_mel",
    "mel_filters",
    "power_spectrogram",
    "warped_distance",
    "word_error_rate",
]
