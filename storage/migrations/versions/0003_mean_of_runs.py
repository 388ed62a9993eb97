"""runs whose model is the mean of others"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('run', sa.Column('mean_of', sa.JSON(), nullable=False, server_default='[]'))


def downgrade() -> None:
    op.drop_column('run', 'mean_of')
