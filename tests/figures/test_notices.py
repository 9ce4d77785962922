from neurobar.figures.notices import figure_of_words


def test_a_long_sentence_stays_whole_and_inside_the_figure():
    sentence = "No run of this study restores " + "what is hidden from its encoder " * 6
    figure = figure_of_words(sentence)
    figure.draw_without_rendering()
    (text,) = figure.texts
    assert text.get_text().split() == sentence.split()
    box = text.get_window_extent()
    assert figure.bbox.x0 < box.x0 < box.x1 < figure.bbox.x1
