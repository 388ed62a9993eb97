"""Start here: `streamlit run app.py` opens the sign-in gate and the list of pages, nothing else."""

import streamlit as st

from pages._ui.catalogue import t
from pages._ui.entry import enter
from pages._ui.layout import ask_name, error_boundary, set_frame, show_note, switch_collection
from pages._ui.session import choose_collection, person

enter()
set_frame()
pages = {
    t("nav.work"): [
        st.Page("pages/home.py", title=t("page.home"), url_path="home", default=True),
        st.Page("pages/review.py", title=t("page.review"), url_path="review"),
        st.Page("pages/queues.py", title=t("page.queues"), url_path="queues"),
    ],
    t("nav.collection"): [
        st.Page("pages/samples.py", title=t("page.samples"), url_path="samples"),
        st.Page("pages/schema.py", title=t("page.schema"), url_path="schema"),
    ],
    t("nav.model"): [
        st.Page("pages/training.py", title=t("page.training"), url_path="training"),
        st.Page("pages/models.py", title=t("page.models"), url_path="models"),
    ],
    t("nav.insight"): [
        st.Page("pages/overview.py", title=t("page.overview"), url_path="overview"),
    ],
}
with error_boundary(of_page=True):
    known = person() is not None
    page = st.navigation(pages, position="top" if known else "hidden")
    if known:
        choose_collection()
        switch_collection()
        show_note()
        page.run()
    else:
        ask_name()
