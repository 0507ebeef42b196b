"""A plain FastAPI application with the same token check, as a yardstick on the same server."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel

from adapters.security.tokens import TokenRefusedError, Verifier


class Ask(BaseModel):
    """The body of a decision, validated as FastAPI does."""

    customer_id: str
    product: str
    amount: str
    term_months: int


class Hello(BaseModel):
    """A reply of about the size of a short one."""

    customer_id: str
    outcome: str
    greeting: str


def hello_app(verifier: Verifier) -> FastAPI:
    """Return the application: validate, check the token, reply."""
    app = FastAPI()

    def principal(authorization: Annotated[str, Header()]) -> str:
        try:
            return verifier.verify(authorization.removeprefix("Bearer ").encode()).sub
        except TokenRefusedError as error:
            raise HTTPException(401) from error

    @app.post("/hello")
    async def hello(ask: Ask, sub: Annotated[str, Depends(principal)]) -> Hello:
        return Hello(customer_id=ask.customer_id, outcome="HELLO", greeting=sub)

    return app
